/// Value: the neutral tree between described structs and their texts (TOML, JSON).
///
/// Each Value remembers the line it was read from, so that an error made later can name it.
/// Threading: plain values. Parsers are bounded: at most 16 MiB of text, 64 levels of nesting.
#pragma once

#include <sinew/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sinew {

/// Null, a scalar, an array or an object; see the top of the file.
class Value {
public:
    /// Values in order.
    using Array = std::vector<Value>;
    /// Keys in the order of the text (JSON) or sorted (TOML); a key appears once.
    using Object = std::vector<std::pair<std::string, Value>>;
    /// What it can hold.
    using Data = std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object>;

    Value() noexcept;
    /// A value that comes from no text.
    Value(Data data) noexcept;
    /// A value read from this line.
    Value(Data data, int line) noexcept;
    // In the library: whoever includes this header would compile them otherwise.
    Value(Value const& other);
    Value(Value&& other) noexcept;
    Value& operator=(Value const& other);
    Value& operator=(Value&& other) noexcept;
    ~Value();

    /// What it holds.
    [[nodiscard]] Data const& data() const noexcept { return m_data; }
    [[nodiscard]] Data& data() noexcept { return m_data; }
    /// The line of the text it came from, from 1; 0 when it came from no text.
    [[nodiscard]] int line() const noexcept { return m_line; }
    /// What it holds as a T, or nullptr when it is another kind.
    template<typename T>
    [[nodiscard]] T const* get_if() const noexcept {
        return std::get_if<T>(&m_data);
    }
    /// The member `key` of an object, or nullptr.
    [[nodiscard]] Value const* find(std::string_view key) const noexcept;
    /// "a string", "a table", ...: for error texts.
    [[nodiscard]] std::string_view type_name() const noexcept;

private:
    Data m_data;
    int m_line = 0;
};

/// Parses TOML 1.0. Dates and times become strings. `source_name` is the file's name, for errors:
/// "config.toml:3:7: expected a value". Error invalid_argument.
[[nodiscard]] Result<Value> parse_toml(std::string_view text, std::string_view source_name);

/// Parses JSON (RFC 8259). Integers outside int64 become doubles; of members with the same key the last one stays.
/// Error invalid_argument, also for a number that is larger than any double.
[[nodiscard]] Result<Value> parse_json(std::string_view text, std::string_view source_name);

/// TOML text of an object: scalars first, then tables. `null` members are left out; U+FFFD stands for each byte that
/// isn't UTF-8, in keys, too, which then still differ.
/// Error invalid_argument: `value` is not an object, or an array holds null.
[[nodiscard]] Result<std::string> format_toml(Value const& value);

/// On one line, or one member a line.
enum class JsonStyle : std::uint8_t { compact, indented };
/// JSON text, always UTF-8 as that of format_toml(). Numbers that JSON doesn't have become "NaN", "Infinity" and
/// "-Infinity", which decode() reads as numbers.
[[nodiscard]] std::string format_json(Value const& value, JsonStyle style = JsonStyle::compact);

} // namespace sinew
