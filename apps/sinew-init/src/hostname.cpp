/// Implements format_hostname().
///
/// Invariant: the pattern is read once from left to right; its output is bounded before it is cleaned.
#include "hostname.hpp"

#include <sinew/base/text.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace sinew::init {
namespace {

constexpr std::size_t max_label_bytes = 63;
constexpr std::size_t max_expanded_bytes = 1024;
constexpr std::string_view fallback = "sinew";

/// Reads one conversion behind its '%' and takes it off `rest`.
std::string expand_conversion(std::string_view& rest, std::string_view serial) {
    bool const from_right = rest.starts_with('-');
    auto text = rest.substr(from_right ? 1 : 0);
    std::size_t count = serial.size();
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        auto const number = take_number<std::size_t>(text);
        if (!number) {
            rest.remove_prefix(std::min<std::size_t>(1, rest.size()));
            return {};
        }
        count = *number;
    }
    if (text.starts_with('%') && text.size() == rest.size()) {
        rest.remove_prefix(1);
        return "%";
    }
    if (!text.starts_with('s')) {
        rest.remove_prefix(std::min<std::size_t>(1, rest.size()));
        return {};
    }
    rest = text.substr(1);
    count = std::min(count, serial.size());
    return std::string(from_right ? serial.substr(serial.size() - count) : serial.substr(0, count));
}

char clean(char c) {
    if (c >= 'A' && c <= 'Z') {
        return static_cast<char>(c - 'A' + 'a');
    }
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        return c;
    }
    return c == '-' || c == '.' || c == '_' || c == ' ' ? '-' : '\0';
}

} // namespace

std::string format_hostname(std::string_view pattern, std::string_view serial_number) {
    std::string expanded;
    auto rest = pattern;
    while (!rest.empty() && expanded.size() < max_expanded_bytes) {
        char const c = rest.front();
        rest.remove_prefix(1);
        expanded += c == '%' ? expand_conversion(rest, serial_number) : std::string(1, c);
    }
    std::string label;
    for (char const c : expanded) {
        char const cleaned = clean(c);
        if (cleaned != '\0' && !(cleaned == '-' && label.empty()) && label.size() < max_label_bytes) {
            label += cleaned;
        }
    }
    while (label.ends_with('-')) {
        label.pop_back();
    }
    return label.empty() ? std::string(fallback) : label;
}

} // namespace sinew::init
