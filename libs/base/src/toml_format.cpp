/// Writes a Value as TOML.
///
/// Free of streams and of toml++, so that a small static program (PID 1) can write TOML without their 900 kB.
/// Invariant: what is written, parse_toml() reads back as the same Value; keys keep the order of the Value.
#include "quoted_text.hpp"

#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace sinew {
namespace {

using detail::append_number;
using detail::append_quoted;
using detail::with_readable_keys;

bool is_null(Value const& value) {
    return value.get_if<std::monostate>() != nullptr;
}

bool is_bare_key(std::string_view key) {
    auto const is_bare = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    };
    return !key.empty() && std::ranges::all_of(key, is_bare);
}

std::string key_text(std::string_view key) {
    if (is_bare_key(key)) {
        return std::string(key);
    }
    std::string quoted;
    append_quoted(quoted, key);
    return quoted;
}

void append_any_number(std::string& out, double number) {
    if (std::isnan(number)) {
        out += "nan";
    } else if (std::isinf(number)) {
        out += number < 0 ? "-inf" : "inf";
    } else {
        append_number(out, number);
    }
}

Result<> append_inline(std::string& out, Value const& value);

Result<> append_inline_array(std::string& out, Value::Array const& elements) {
    out += '[';
    for (auto const& element : elements) {
        if (is_null(element)) {
            return failure(ErrorCode::invalid_argument, "TOML has no null inside an array");
        }
        out += &element == &elements.front() ? "" : ", ";
        TRY_OK(append_inline(out, element));
    }
    out += ']';
    return {};
}

Result<> append_inline_table(std::string& out, Value::Object const& object) {
    if (auto const readable = with_readable_keys(object)) {
        return append_inline_table(out, *readable);
    }
    std::string_view separator = "{";
    for (auto const& [key, member] : object) {
        if (!is_null(member)) {
            out += separator;
            out += key_text(key);
            out += " = ";
            TRY_OK(append_inline(out, member));
            separator = ", ";
        }
    }
    out += separator == "{" ? "{}" : "}";
    return {};
}

Result<> append_inline(std::string& out, Value const& value) {
    if (auto const* boolean = value.get_if<bool>()) {
        out += *boolean ? "true" : "false";
    } else if (auto const* integer = value.get_if<std::int64_t>()) {
        out += std::to_string(*integer);
    } else if (auto const* number = value.get_if<double>()) {
        append_any_number(out, *number);
    } else if (auto const* text = value.get_if<std::string>()) {
        append_quoted(out, *text);
    } else if (auto const* elements = value.get_if<Value::Array>()) {
        return append_inline_array(out, *elements);
    } else if (auto const* object = value.get_if<Value::Object>()) {
        return append_inline_table(out, *object);
    }
    return {};
}

bool is_table(Value const& value) {
    return value.get_if<Value::Object>() != nullptr;
}

bool is_array_of_tables(Value const& value) {
    auto const* elements = value.get_if<Value::Array>();
    return elements != nullptr && !elements->empty() && std::ranges::all_of(*elements, is_table);
}

Result<> append_table(std::string& out, std::string const& path, Value::Object const& object);

/// The tables below `path`, each under its header.
Result<> append_tables(std::string& out, std::string const& path, std::string const& key,
                       Value const& member) {
    auto const name = path.empty() ? key : path + "." + key;
    if (auto const* table = member.get_if<Value::Object>()) {
        out += "\n[" + name + "]\n";
        return append_table(out, name, *table);
    }
    for (auto const& element : *member.get_if<Value::Array>()) {
        out += "\n[[" + name + "]]\n";
        TRY_OK(append_table(out, name, *element.get_if<Value::Object>()));
    }
    return {};
}

Result<> append_table(std::string& out, std::string const& path, Value::Object const& object) {
    if (auto const readable = with_readable_keys(object)) {
        return append_table(out, path, *readable);
    }
    for (auto const& [key, member] : object) {
        if (!is_null(member) && !is_table(member) && !is_array_of_tables(member)) {
            out += key_text(key) + " = ";
            TRY_OK(append_inline(out, member));
            out += '\n';
        }
    }
    for (auto const& [key, member] : object) {
        if (is_table(member) || is_array_of_tables(member)) {
            TRY_OK(append_tables(out, path, key_text(key), member));
        }
    }
    return {};
}

} // namespace

Result<std::string> format_toml(Value const& value) {
    auto const* object = value.get_if<Value::Object>();
    if (object == nullptr) {
        return failure(ErrorCode::invalid_argument,
                       "only a table can be written as TOML, not " + std::string(value.type_name()));
    }
    std::string text;
    TRY_OK(append_table(text, {}, *object));
    return text;
}

} // namespace sinew
