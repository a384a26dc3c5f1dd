/// Writes a Value as JSON.
///
/// Invariant: what is written, parse_json() reads back as the same Value, but for numbers that JSON doesn't have.
#include "quoted_text.hpp"

#include <sinew/base/value.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sinew {

namespace {

using detail::append_quoted;

/// Those that JSON doesn't have by the names that Protocol Buffers' mapping gave them; decode() knows them.
void append_any_number(std::string& out, double number) {
    if (std::isnan(number)) {
        out += R"("NaN")";
    } else if (std::isinf(number)) {
        out += number < 0 ? R"("-Infinity")" : R"("Infinity")";
    } else {
        detail::append_number(out, number);
    }
}

class Writer {
public:
    Writer(std::string& out, JsonStyle style)
        : m_out(out)
        , m_style(style) {}

    void write(Value const& value, std::size_t depth) {
        if (auto const* boolean = value.get_if<bool>()) {
            m_out += *boolean ? "true" : "false";
        } else if (auto const* integer = value.get_if<std::int64_t>()) {
            m_out += std::to_string(*integer);
        } else if (auto const* number = value.get_if<double>()) {
            append_any_number(m_out, *number);
        } else if (auto const* text = value.get_if<std::string>()) {
            append_quoted(m_out, *text);
        } else if (auto const* array = value.get_if<Value::Array>()) {
            write_members(*array, '[', ']', depth, [&](Value const& element) { write(element, depth + 1); });
        } else if (auto const* object = value.get_if<Value::Object>()) {
            auto const readable = detail::with_readable_keys(*object);
            write_members(readable ? *readable : *object, '{', '}', depth, [&](auto const& member) {
                append_quoted(m_out, member.first);
                m_out += m_style == JsonStyle::indented ? ": " : ":";
                write(member.second, depth + 1);
            });
        } else {
            m_out += "null";
        }
    }

private:
    template<typename Members, typename WriteMember>
    void write_members(Members const& members, char open, char close, std::size_t depth,
                       WriteMember write_member) {
        m_out += open;
        bool first = true;
        for (auto const& member : members) {
            m_out += first ? "" : ",";
            first = false;
            new_line(depth + 1);
            write_member(member);
        }
        if (!first) {
            new_line(depth);
        }
        m_out += close;
    }

    void new_line(std::size_t depth) {
        if (m_style == JsonStyle::indented) {
            m_out += '\n';
            m_out.append(depth * 2, ' ');
        }
    }

    std::string& m_out;
    JsonStyle m_style;
};

} // namespace

std::string format_json(Value const& value, JsonStyle style) {
    std::string text;
    Writer(text, style).write(value, 0);
    return text;
}

} // namespace sinew
