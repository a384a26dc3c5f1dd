/// Any bytes as TOML, and decoded onto a described struct: an error or a value, never a crash; what is read
/// reads back as the same from what is written.
#include "same_value.hpp"

#include <sinew/base.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace {
struct Inner {
    std::chrono::milliseconds interval{};
    std::map<std::string, int> numbers;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (interval, numbers))
struct Outer {
    std::string name;
    std::vector<Inner> inners;
    std::optional<double> ratio;
};
BOOST_DESCRIBE_STRUCT(Outer, (), (name, inners, ratio))
} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const value = sinew::parse_toml(text, "fuzz.toml");
    if (!value) {
        return 0;
    }
    auto const written = sinew::format_toml(*value);
    auto const again = written ? sinew::parse_toml(*written, "again.toml") : sinew::Result<sinew::Value>();
    if (!written || !again || !sinew::is_same(*again, *value)) {
        std::abort();
    }
    if (auto const object = sinew::decode<Outer>(*value, "fuzz.toml")) {
        auto const copy = sinew::from_toml<Outer>(sinew::to_toml(*object).value(), "again.toml");
        if (!copy || !sinew::is_same(sinew::encode(*copy), sinew::encode(*object))) {
            std::abort();
        }
    }
    return 0;
}
