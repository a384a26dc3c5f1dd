/// Described types to and from Value, and so to and from TOML and JSON.
///
/// Describe a struct once with BOOST_DESCRIBE_STRUCT (an enum with BOOST_DESCRIBE_ENUM) and use
///
///     struct Wifi { std::string ssid; int channel = 6; std::optional<std::string> psk; };
///     BOOST_DESCRIBE_STRUCT(Wifi, (), (ssid, channel, psk))
///     Result<Wifi> wifi = sinew::from_toml<Wifi>(text, "wifi.toml");
///
/// A member that is missing in the text keeps its default value. An unknown key, a wrong type, a number out
/// of range or an unknown enumerator is an error that names file, line, key and what is allowed:
///
///     wifi.toml:3: channel: expected an integer, found a string
///     wifi.toml:4: unknown key 'chanel' (did you mean 'channel'? known keys: ssid, channel, psk)
///
/// Supported members: bool, integers, float/double, std::string, std::filesystem::path, std::chrono durations
/// (text such as "500ms", "-1.5s", "2min", "1h"; plain numbers are refused), enums, std::optional, std::vector,
/// std::map<std::string, T>, described structs, Value.
///
/// What is written reads back as the same object, to the last bit, but for this: bytes that aren't UTF-8 become
/// U+FFFD; TOML has no null, so an empty std::optional is left out, and is refused inside an array; a value of an
/// enum without a name is written as its number, and only read where the enum is a set of flags (scoped, with an
/// operator|). Elsewhere it would be a value that no switch expects.
#pragma once

#include <sinew/base/detail/type_table.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp> // IWYU pragma: export

#include <boost/describe/class.hpp> // IWYU pragma: export
#include <boost/describe/enum.hpp>  // IWYU pragma: export

#include <string>
#include <string_view>

namespace sinew {

/// The Value of a described struct or any supported member type.
template<typename T>
[[nodiscard]] Value encode(T const& object) {
    return detail::encode_object(*detail::table_of<T>(), &object);
}

/// `value` as a T. `source_name` goes in front of errors. Error invalid_argument.
template<typename T>
[[nodiscard]] Result<T> decode(Value const& value, std::string_view source_name) {
    T object{};
    TRY_OK(detail::decode_object(*detail::table_of<T>(), value, &object, source_name));
    return object;
}

/// Like decode(), onto an object that already holds values: members missing in `value` keep theirs. Use it to
/// lay one file over another. On an error `object` is unchanged.
template<typename T>
[[nodiscard]] Result<> decode_onto(T& object, Value const& value, std::string_view source_name) {
    return detail::decode_copy(object, value, source_name);
}

/// parse_toml() and decode().
template<typename T>
[[nodiscard]] Result<T> from_toml(std::string_view text, std::string_view source_name) {
    TRY(auto value, parse_toml(text, source_name));
    return decode<T>(value, source_name);
}

/// parse_json() and decode().
template<typename T>
[[nodiscard]] Result<T> from_json(std::string_view text, std::string_view source_name) {
    TRY(auto value, parse_json(text, source_name));
    return decode<T>(value, source_name);
}

/// encode() and format_toml().
template<typename T>
[[nodiscard]] Result<std::string> to_toml(T const& object) {
    return format_toml(encode(object));
}

/// encode() and format_json().
template<typename T>
[[nodiscard]] std::string to_json(T const& object, JsonStyle style = JsonStyle::compact) {
    return format_json(encode(object), style);
}

} // namespace sinew
