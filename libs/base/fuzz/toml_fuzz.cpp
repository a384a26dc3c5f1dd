/// Any bytes as TOML, decoded onto a described struct: an error or a value, never a crash; what is read
/// survives a round trip.
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
    if (auto const object = sinew::from_toml<Outer>(text, "fuzz.toml")) {
        auto const written = sinew::to_toml(*object);
        if (!written || !sinew::from_toml<Outer>(*written, "again.toml")) {
            std::abort();
        }
    }
    return 0;
}
