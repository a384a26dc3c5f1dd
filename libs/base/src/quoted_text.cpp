/// Implements quoted_text.hpp.
#include "quoted_text.hpp"

#include <sinew/base/utf8.hpp>
#include <sinew/base/value.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace sinew::detail {
namespace {

constexpr std::string_view escaped = "\"\\\b\f\n\r\t";
constexpr std::string_view escapes = "\"\\bfnrt";
constexpr unsigned char del = 0x7f;
constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool is_plain(char c) noexcept {
    auto const byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < del && c != '"' && c != '\\';
}

void append_escaped(std::string& out, char c) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += '\\';
    if (auto const at = escaped.find(c); at != std::string_view::npos) {
        out += escapes[at];
        return;
    }
    auto const byte = static_cast<unsigned char>(c);
    out += "u00";
    out += hex[byte >> 4U];
    out += hex[byte & 0xfU];
}

void append_code_point(std::string& out, std::string_view& text) {
    auto const before = text;
    bool const is_valid = take_code_point(text).has_value();
    out += is_valid ? before.substr(0, before.size() - text.size()) : replacement;
}

} // namespace

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        std::size_t plain = 0;
        while (plain < text.size() && is_plain(text[plain])) {
            ++plain;
        }
        out += text.substr(0, plain);
        text.remove_prefix(plain);
        if (!text.empty() && static_cast<unsigned char>(text.front()) > del) {
            append_code_point(out, text);
        } else if (!text.empty()) {
            append_escaped(out, text.front());
            text.remove_prefix(1);
        }
    }
    out += '"';
}

void append_number(std::string& out, double number) {
    std::array<char, 32> buffer{};
    auto const* const end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    std::string_view const digits(buffer.data(), end);
    out += digits;
    if (digits.find_first_of(".e") == std::string_view::npos) {
        out += ".0"; // Else it would come back as an integer.
    }
}

std::optional<Value::Object> with_readable_keys(Value::Object const& object) {
    std::optional<Value::Object> changed;
    for (std::size_t at = 0; at < object.size(); ++at) {
        if (!is_utf8(object[at].first)) {
            if (!changed) {
                changed = object;
            }
            (*changed)[at].first = valid_utf8(object[at].first);
        }
    }
    if (changed) {
        std::set<std::string> taken;
        for (auto& [key, member] : *changed) {
            while (!taken.insert(key).second) {
                key += replacement;
            }
        }
    }
    return changed;
}

} // namespace sinew::detail
