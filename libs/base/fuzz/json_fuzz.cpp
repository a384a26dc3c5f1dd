/// Any bytes as JSON: an error or a value whose text parses again. (Not to the same text: Boost.JSON rounds
/// the last bit of some long numbers.)
#include <sinew/base.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    if (auto const value = sinew::parse_json(text, "fuzz.json")) {
        if (!sinew::parse_json(sinew::format_json(*value), "again.json")) {
            std::abort();
        }
    }
    return 0;
}
