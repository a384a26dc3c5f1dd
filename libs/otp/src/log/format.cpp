// Events as text for people and as JSON.
#include "log/add_member.hpp"

#include <sinew/base/utf8.hpp>
#include <sinew/base/value.hpp>
#include <sinew/otp/log.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::log {
namespace {

std::string time_text(WallTime time, char const* pattern) {
    auto const milliseconds = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
    std::time_t const seconds = milliseconds / 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::size_t const length = std::strftime(text.data(), text.size(), pattern, &parts);
    std::array<char, 8> fraction{};
    (void)std::snprintf(fraction.data(), fraction.size(), ".%03d", static_cast<int>(milliseconds % 1000));
    return std::string(text.data(), length) + fraction.data();
}

std::string_view colour_of(Level level) noexcept {
    switch (level) {
    case Level::debug:
        return "\x1b[2m";
    case Level::info:
        return "\x1b[32m";
    case Level::notice:
        return "\x1b[36m";
    case Level::warning:
        return "\x1b[33m";
    case Level::error:
        return "\x1b[31m";
    }
    return "";
}

bool needs_quotes(std::string_view text) noexcept {
    return text.empty() || text.find_first_of(" \t\n\"=") != std::string_view::npos;
}

/// A plain text stays as it is; anything else is JSON.
std::string value_text(Value const& value) {
    auto const* const text = value.get_if<std::string>();
    return text != nullptr && !needs_quotes(*text) ? *text : format_json(value);
}

void add_fields_inline(std::string& line, Value::Object const& fields) {
    for (auto const& [key, value] : fields) {
        line += " " + key + "=" + value_text(value);
    }
}

void add_fields_as_table(std::string& line, Value::Object const& fields) {
    constexpr std::size_t key_width = 16;
    for (auto const& [key, value] : fields) {
        std::string name = key;
        for (char& c : name) {
            c = c == '_' ? ' ' : c;
        }
        name.resize(std::max(name.size() + 1, key_width), ' ');
        auto const* const text = value.get_if<std::string>();
        std::string shown = text != nullptr ? *text : format_json(value);
        for (std::size_t at = 0; (at = shown.find('\n', at)) != std::string::npos; at += 1 + 4 + key_width) {
            shown.insert(at + 1, std::string(4 + key_width, ' '));
        }
        line.append("\n    ").append(name).append(shown);
    }
}

void add(Value::Object& object, std::string key, std::string_view text) {
    if (!text.empty()) {
        detail::add_member(object, std::move(key), std::string(text));
    }
}

} // namespace

std::string format(Event const& event, Colours colours) {
    std::string level = "[" + std::string(to_string(event.level)) + "]";
    if (colours == Colours::yes) {
        level = std::string(colour_of(event.level)) + level + "\x1b[0m";
    }
    std::string line = time_text(event.time, "%Y-%m-%d %H:%M:%S") + " " + level + " ";
    if (event.process) {
        line += event.process.to_string() + " ";
    }
    if (!event.label.empty()) {
        line += event.label + ": ";
    }
    line += event.text;
    (event.is_report ? add_fields_as_table : add_fields_inline)(line, event.fields);
    return valid_utf8(std::move(line));
}

std::string format_json_line(Event const& event) {
    Value::Object object;
    add(object, "time", time_text(event.time, "%Y-%m-%dT%H:%M:%S") + "Z");
    add(object, "level", to_string(event.level));
    add(object, "pid", event.process ? event.process.to_string() : std::string());
    add(object, "label", event.label);
    add(object, "name", event.name);
    if (!event.ancestors.empty()) {
        Value::Array ancestors;
        for (Pid const pid : event.ancestors) {
            ancestors.emplace_back(Value::Data(pid.to_string()));
        }
        detail::add_member(object, "ancestors", std::move(ancestors));
    }
    add(object, "module", module_of(event.where.file_name()));
    add(object, "file", event.where.file_name());
    if (event.where.line() != 0) {
        detail::add_member(object, "line", std::int64_t{event.where.line()});
    }
    add(object, "text", event.text);
    if (!event.fields.empty()) {
        detail::add_member(object, "fields", event.fields);
    }
    Value const value(std::move(object));
    return format_json(value);
}

} // namespace sinew::log
