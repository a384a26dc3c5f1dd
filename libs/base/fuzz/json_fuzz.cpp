/// Any bytes as JSON: an error or a value whose text reads back as the same value.
#include "same_value.hpp"

#include <sinew/base.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    if (auto const value = sinew::parse_json(text, "fuzz.json")) {
        for (auto const style : {sinew::JsonStyle::compact, sinew::JsonStyle::indented}) {
            auto const again = sinew::parse_json(sinew::format_json(*value, style), "again.json");
            if (!again || !sinew::is_same(*again, *value)) {
                std::abort();
            }
        }
    }
    return 0;
}
