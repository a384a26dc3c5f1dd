/// Any bytes as JSON: an error or a value whose text parses to the same text again.
#include <sinew/base.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    if (auto const value = sinew::parse_json(text, "fuzz.json")) {
        auto const once = sinew::format_json(*value);
        auto const again = sinew::parse_json(once, "again.json");
        if (!again || sinew::format_json(*again) != once) {
            std::abort();
        }
    }
    return 0;
}
