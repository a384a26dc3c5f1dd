/// An object made of any bytes: its TOML and its JSON read back as the same object, but for bytes that aren't UTF-8,
/// which read back as U+FFFD.
#include "same_value.hpp"

#include <sinew/base.hpp>
#include <sinew/base/utf8.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

enum class Access : std::uint16_t { none = 0, read = 1, write = 2 };
BOOST_DESCRIBE_ENUM(Access, none, read, write)
[[maybe_unused]] constexpr Access operator|(Access left, Access right) {
    return static_cast<Access>(static_cast<unsigned>(left) | static_cast<unsigned>(right));
}

struct Part {
    std::string text;
    std::chrono::seconds seconds{};
    std::vector<bool> answers;
};
BOOST_DESCRIBE_STRUCT(Part, (), (text, seconds, answers))

struct Whole : Part {
    std::int64_t integer = 0;
    std::uint8_t small = 0;
    double number = 0;
    float single = 0;
    bool boolean = false;
    Access access = Access::none;
    std::chrono::nanoseconds fine{};
    std::chrono::days coarse{};
    std::chrono::duration<double, std::milli> floating{};
    std::optional<std::string> maybe;
    std::vector<double> numbers;
    std::vector<Part> parts;
    std::map<std::string, Part> named;
};
BOOST_DESCRIBE_STRUCT(Whole, (Part),
                      (integer, small, number, single, boolean, access, fine, coarse, floating, maybe,
                       numbers, parts, named))

class Input {
public:
    Input(std::uint8_t const* data, std::size_t size)
        : m_rest(reinterpret_cast<char const*>(data), size) {}
    template<typename T>
    T take() {
        T value{};
        auto const bytes = take_bytes(sizeof value);
        std::memcpy(&value, bytes.data(), bytes.size());
        return value;
    }
    std::string take_text() { return std::string(take_bytes(take<std::uint8_t>() % 24)); }
    std::size_t take_count() { return take<std::uint8_t>() % 4; }

private:
    std::string_view take_bytes(std::size_t count) {
        auto const bytes = m_rest.substr(0, count);
        m_rest.remove_prefix(bytes.size());
        return bytes;
    }
    std::string_view m_rest;
};

Part take_part(Input& input) {
    return {.text = input.take_text(),
            .seconds = std::chrono::seconds(input.take<std::int64_t>()),
            .answers = std::vector<bool>(input.take_count(), true)};
}

Whole take_whole(Input& input) {
    Whole whole;
    static_cast<Part&>(whole) = take_part(input);
    whole.integer = input.take<std::int64_t>();
    whole.small = input.take<std::uint8_t>();
    whole.number = input.take<double>();
    whole.single = input.take<float>();
    whole.boolean = (input.take<std::uint8_t>() & 1U) != 0;
    whole.access = input.take<Access>();
    whole.fine = std::chrono::nanoseconds(input.take<std::int64_t>());
    whole.coarse = std::chrono::days(input.take<std::int32_t>());
    whole.floating = std::chrono::duration<double, std::milli>(input.take<double>());
    if (input.take_count() != 0) {
        whole.maybe = input.take_text();
    }
    whole.numbers.resize(input.take_count());
    std::ranges::generate(whole.numbers, [&] { return input.take<double>(); });
    whole.parts.resize(input.take_count());
    std::ranges::generate(whole.parts, [&] { return take_part(input); });
    for (auto count = input.take_count(); count > 0; --count) {
        auto key = input.take_text();
        whole.named[key] = take_part(input);
    }
    return whole;
}

void check(sinew::Result<Whole> const& again, Whole const& whole) {
    if (!again || again->named.size() != whole.named.size() || !sinew::is_utf8(sinew::to_json(whole))) {
        std::abort();
    }
    auto expected = whole;
    auto const clean = [](Part& part) { part.text = sinew::valid_utf8(part.text); };
    clean(expected);
    std::ranges::for_each(expected.parts, clean);
    expected.maybe = expected.maybe ? std::optional(sinew::valid_utf8(*expected.maybe)) : std::nullopt;
    bool const has_plain_keys =
        std::ranges::all_of(whole.named, [](auto const& member) { return sinew::is_utf8(member.first); });
    for (auto& [key, part] : expected.named) {
        clean(part);
    }
    if (!has_plain_keys) { // Their new names aren't our concern, only that none was lost.
        expected.named = again->named;
    }
    if (!sinew::is_same(sinew::encode(*again), sinew::encode(expected))) {
        std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    Input input(data, size);
    auto const whole = take_whole(input);
    auto const toml = sinew::to_toml(whole);
    if (!toml || !sinew::is_utf8(*toml)) {
        std::abort();
    }
    check(sinew::from_toml<Whole>(*toml, "again.toml"), whole);
    check(sinew::from_json<Whole>(sinew::to_json(whole), "again.json"), whole);
    return 0;
}
