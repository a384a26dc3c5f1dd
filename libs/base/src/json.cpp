/// JSON texts through Boost.JSON, which stays inside this file.
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>

#include <boost/json/parse_options.hpp>
#include <boost/json/src.hpp>
#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sinew {

namespace {

constexpr std::size_t limit_bytes = 16u << 20;
constexpr std::size_t limit_depth = 64;

Value from_boost(boost::json::value const& source) {
    switch (source.kind()) {
    case boost::json::kind::bool_:
        return Value(source.get_bool());
    case boost::json::kind::int64:
        return Value(std::int64_t{source.get_int64()});
    case boost::json::kind::uint64:
        return Value(static_cast<double>(source.get_uint64()));
    case boost::json::kind::double_:
        return Value(source.get_double());
    case boost::json::kind::string:
        return Value(std::string(source.get_string()));
    case boost::json::kind::array: {
        Value::Array array;
        array.reserve(source.get_array().size());
        for (auto const& element : source.get_array()) {
            array.push_back(from_boost(element));
        }
        return Value(std::move(array));
    }
    case boost::json::kind::object: {
        Value::Object object;
        object.reserve(source.get_object().size());
        for (auto const& member : source.get_object()) {
            object.emplace_back(std::string(member.key()), from_boost(member.value()));
        }
        return Value(std::move(object));
    }
    case boost::json::kind::null:
        break;
    }
    return {};
}

void append_string(std::string& out, std::string_view text) {
    out += boost::json::serialize(text);
}

void append_number(std::string& out, double number) {
    if (!std::isfinite(number)) {
        out += "null";
        return;
    }
    char buffer[32];
    auto const [end, ignored] = std::to_chars(std::begin(buffer), std::end(buffer), number);
    std::string_view const digits(buffer, static_cast<std::size_t>(end - buffer));
    out += digits;
    if (digits.find_first_of(".e") == std::string_view::npos) {
        out += ".0";
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
            append_number(m_out, *number);
        } else if (auto const* text = value.get_if<std::string>()) {
            append_string(m_out, *text);
        } else if (auto const* array = value.get_if<Value::Array>()) {
            write_members(*array, '[', ']', depth, [&](Value const& element) { write(element, depth + 1); });
        } else if (auto const* object = value.get_if<Value::Object>()) {
            write_members(*object, '{', '}', depth, [&](auto const& member) {
                append_string(m_out, member.first);
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

Result<Value> parse_json(std::string_view text, std::string_view source_name) {
    if (text.size() > limit_bytes) {
        return failure(ErrorCode::invalid_argument,
                       std::string(source_name) + ": larger than the limit of 16 MiB");
    }
    boost::json::parse_options options;
    options.max_depth = limit_depth;
    boost::json::stream_parser parser({}, options);
    boost::json::error_code error;
    std::size_t const used = parser.write_some(text.data(), text.size(), error);
    if (!error && used == text.size()) {
        parser.finish(error);
    } else if (!error) {
        error = boost::json::error::extra_data;
    }
    if (error) {
        auto const read = text.substr(0, used);
        auto const line = std::count(read.begin(), read.end(), '\n') + 1;
        return failure(ErrorCode::invalid_argument,
                       std::string(source_name) + ":" + std::to_string(line) + ": " + error.message());
    }
    return from_boost(parser.release());
}

std::string format_json(Value const& value, JsonStyle style) {
    std::string text;
    Writer(text, style).write(value, 0);
    return text;
}

} // namespace sinew
