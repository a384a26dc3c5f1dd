/// Reads JSON texts through Boost.JSON's parser, which stays inside this file.
///
/// Its numbers are rounded in the last bit: they are read once more, from their digits.
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/src.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace sinew {

namespace {

using boost::json::error_code;
using Text = boost::json::string_view;

constexpr std::size_t limit_bytes = 16u << 20;
constexpr std::size_t limit_depth = 64;

constexpr std::size_t few_members = 16;

bool has_equal_keys(Value::Object const& few) {
    for (std::size_t at = 1; at < few.size(); ++at) {
        for (std::size_t before = 0; before < at; ++before) {
            if (few[at].first == few[before].first) {
                return true;
            }
        }
    }
    return false;
}

/// Of members with the same key the last one stays.
void remove_duplicates(Value::Object& object) {
    if (object.size() <= few_members && !has_equal_keys(object)) {
        return;
    }
    std::vector<std::size_t> order(object.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    auto const key_of = [&](std::size_t at) -> std::string const& { return object[at].first; };
    std::ranges::stable_sort(order, {}, key_of);
    std::vector<bool> is_gone(object.size());
    bool any = false;
    for (std::size_t i = 1; i < order.size(); ++i) {
        if (key_of(order[i - 1]) == key_of(order[i])) {
            is_gone[order[i - 1]] = true;
            any = true;
        }
    }
    if (any) {
        Value::Object kept;
        for (std::size_t at = 0; at < object.size(); ++at) {
            if (!is_gone[at]) {
                kept.push_back(std::move(object[at]));
            }
        }
        object = std::move(kept);
    }
}

/// What Boost's parser calls: values whose array or object isn't complete wait on a stack.
class Builder {
public:
    static constexpr std::size_t max_object_size = limit_bytes;
    static constexpr std::size_t max_array_size = limit_bytes;
    static constexpr std::size_t max_key_size = limit_bytes;
    static constexpr std::size_t max_string_size = limit_bytes;

    // NOLINTBEGIN(readability-convert-member-functions-to-static): the parser's interface
    bool on_document_begin(error_code& /*error*/) { return true; }
    bool on_document_end(error_code& /*error*/) { return true; }
    bool on_array_begin(error_code& /*error*/) { return true; }
    bool on_object_begin(error_code& /*error*/) { return true; }
    bool on_number_part(Text /*text*/, error_code& /*error*/) { return true; }
    bool on_comment_part(Text /*text*/, error_code& /*error*/) { return true; }
    bool on_comment(Text /*text*/, error_code& /*error*/) { return true; }
    // NOLINTEND(readability-convert-member-functions-to-static)

    bool on_array_end(std::size_t count, error_code& /*error*/) {
        auto const first = m_values.end() - static_cast<std::ptrdiff_t>(count);
        Value::Array array(std::make_move_iterator(first), std::make_move_iterator(m_values.end()));
        m_values.erase(first, m_values.end());
        return add(std::move(array));
    }
    bool on_object_end(std::size_t count, error_code& /*error*/) {
        Value::Object object;
        object.reserve(count);
        auto const first_value = m_values.size() - count;
        auto const first_key = m_keys.size() - count;
        for (std::size_t at = 0; at < count; ++at) {
            object.emplace_back(std::move(m_keys[first_key + at]), std::move(m_values[first_value + at]));
        }
        m_values.resize(first_value);
        m_keys.resize(first_key);
        remove_duplicates(object);
        return add(std::move(object));
    }
    bool on_key_part(Text text, std::size_t /*size*/, error_code& /*error*/) { return take(text); }
    bool on_key(Text text, std::size_t /*size*/, error_code& /*error*/) {
        take(text);
        m_keys.push_back(std::exchange(m_text, {}));
        return true;
    }
    bool on_string_part(Text text, std::size_t /*size*/, error_code& /*error*/) { return take(text); }
    bool on_string(Text text, std::size_t /*size*/, error_code& /*error*/) {
        take(text);
        return add(std::exchange(m_text, {}));
    }
    bool on_int64(std::int64_t integer, Text /*text*/, error_code& /*error*/) { return add(integer); }
    bool on_uint64(std::uint64_t integer, Text /*text*/, error_code& /*error*/) {
        return add(static_cast<double>(integer));
    }
    bool on_double(double rounded, Text text, error_code& error) {
        double number = 0;
        auto const result = std::from_chars(text.data(), text.data() + text.size(), number);
        if (result.ec == std::errc::result_out_of_range && std::abs(rounded) < 1) {
            number = std::copysign(0.0, rounded);
        } else if (result.ec != std::errc() || !std::isfinite(number)) {
            error = make_error_code(boost::system::errc::result_out_of_range);
            return false;
        }
        return add(number);
    }
    bool on_bool(bool boolean, error_code& /*error*/) { return add(boolean); }
    bool on_null(error_code& /*error*/) { return add(std::monostate()); }

    [[nodiscard]] Value take_value() { return std::move(m_values.front()); }

private:
    bool add(Value::Data data) {
        m_values.emplace_back(std::move(data));
        return true;
    }
    bool take(Text text) {
        m_text.append(text.data(), text.size());
        return true;
    }

    std::vector<Value> m_values;
    std::vector<std::string> m_keys;
    std::string m_text;
};

} // namespace

Result<Value> parse_json(std::string_view text, std::string_view source_name) {
    if (text.size() > limit_bytes) {
        return failure(ErrorCode::invalid_argument,
                       std::string(source_name) + ": larger than the limit of 16 MiB");
    }
    boost::json::parse_options options;
    options.max_depth = limit_depth;
    boost::json::basic_parser<Builder> parser(options);
    error_code error;
    std::size_t const used = parser.write_some(false, text.data(), text.size(), error);
    if (!error && used != text.size()) {
        error = boost::json::error::extra_data;
    }
    if (error) {
        auto const read = text.substr(0, used);
        auto const line = std::count(read.begin(), read.end(), '\n') + 1;
        return failure(ErrorCode::invalid_argument,
                       std::string(source_name) + ":" + std::to_string(line) + ": " + error.message());
    }
    return parser.handler().take_value();
}

} // namespace sinew
