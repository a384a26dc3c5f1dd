/// TOML texts through toml++, which stays inside this file.
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#define TOML_MAX_NESTED_VALUES 64
#include <toml++/toml.h>

namespace sinew {

namespace {

constexpr std::size_t limit_bytes = 16u << 20;

int line_of(toml::node const& node) {
    return static_cast<int>(node.source().begin.line);
}

template<typename DateOrTime>
std::string as_string(DateOrTime const& value) {
    std::ostringstream text;
    text << value;
    return text.str();
}

Value from_toml_node(toml::node const& node) {
    int const line = line_of(node);
    if (auto const* table = node.as_table()) {
        Value::Object object;
        object.reserve(table->size());
        for (auto const& [key, member] : *table) {
            object.emplace_back(std::string(key.str()), from_toml_node(member));
        }
        return {std::move(object), line};
    }
    if (auto const* elements = node.as_array()) {
        Value::Array array;
        array.reserve(elements->size());
        for (auto const& element : *elements) {
            array.push_back(from_toml_node(element));
        }
        return {std::move(array), line};
    }
    if (auto const* text = node.as_string()) {
        return {text->get(), line};
    }
    if (auto const* integer = node.as_integer()) {
        return {integer->get(), line};
    }
    if (auto const* number = node.as_floating_point()) {
        return {number->get(), line};
    }
    if (auto const* boolean = node.as_boolean()) {
        return {boolean->get(), line};
    }
    if (auto const* date = node.as_date()) {
        return {as_string(date->get()), line};
    }
    if (auto const* time = node.as_time()) {
        return {as_string(time->get()), line};
    }
    return {as_string(node.as_date_time()->get()), line};
}

Result<toml::table> to_toml_table(Value::Object const& object);
Result<toml::array> to_toml_array(Value::Array const& elements);

/// Hands `value` as a toml++ node to `insert`; null is skipped (`insert` is not called).
template<typename Insert>
Result<> with_node(Value const& value, Insert insert) {
    if (auto const* boolean = value.get_if<bool>()) {
        insert(*boolean);
    } else if (auto const* integer = value.get_if<std::int64_t>()) {
        insert(*integer);
    } else if (auto const* number = value.get_if<double>()) {
        insert(*number);
    } else if (auto const* text = value.get_if<std::string>()) {
        insert(*text);
    } else if (auto const* object = value.get_if<Value::Object>()) {
        TRY(auto table, to_toml_table(*object));
        insert(std::move(table));
    } else if (auto const* elements = value.get_if<Value::Array>()) {
        TRY(auto array, to_toml_array(*elements));
        insert(std::move(array));
    }
    return {};
}

Result<toml::array> to_toml_array(Value::Array const& elements) {
    toml::array array;
    for (auto const& element : elements) {
        if (element.get_if<std::monostate>() != nullptr) {
            return failure(ErrorCode::invalid_argument, "TOML has no null inside an array");
        }
        TRY_OK(with_node(element, [&](auto&& node) { array.push_back(std::forward<decltype(node)>(node)); }));
    }
    return array;
}

Result<toml::table> to_toml_table(Value::Object const& object) {
    toml::table table;
    for (auto const& [key, member] : object) {
        TRY_OK(with_node(member, [&, &name = key](auto&& node) {
            table.insert_or_assign(name, std::forward<decltype(node)>(node));
        }));
    }
    return table;
}

/// toml++ 3.3 runs into undefined behaviour when it asks whether U+FB26 to U+FEFE (Arabic and Hebrew
/// presentation forms) is white space, so they never reach it. True when `text` holds one (UTF-8 EF AC A6 to
/// EF BB BE).
bool has_presentation_forms(std::string_view text) {
    for (auto at = text.find('\xEF'); at != std::string_view::npos; at = text.find('\xEF', at + 1)) {
        auto const last_two = text.substr(at + 1, 2);
        if (last_two >= std::string_view("\xAC\xA6") && last_two <= std::string_view("\xBB\xBE")) {
            return true;
        }
    }
    return false;
}

} // namespace

Result<Value> parse_toml(std::string_view text, std::string_view source_name) {
    if (text.size() > limit_bytes) {
        return failure(ErrorCode::invalid_argument,
                       std::string(source_name) + ": larger than the limit of 16 MiB");
    }
    if (has_presentation_forms(text)) {
        return failure(ErrorCode::invalid_argument,
                       std::string(source_name) +
                           ": holds a presentation form (U+FB26 to U+FEFE); write the plain letter");
    }
    auto const parsed = toml::parse(text);
    if (!parsed) {
        auto const& error = parsed.error();
        return failure(ErrorCode::invalid_argument, std::string(source_name) + ":" +
                                                        std::to_string(error.source().begin.line) + ":" +
                                                        std::to_string(error.source().begin.column) + ": " +
                                                        std::string(error.description()));
    }
    return from_toml_node(parsed.table());
}

Result<std::string> format_toml(Value const& value) {
    auto const* object = value.get_if<Value::Object>();
    if (object == nullptr) {
        return failure(ErrorCode::invalid_argument,
                       "only a table can be written as TOML, not " + std::string(value.type_name()));
    }
    TRY(auto const table, to_toml_table(*object));
    std::ostringstream text;
    text << toml::toml_formatter(table) << '\n';
    return std::move(text).str();
}

} // namespace sinew
