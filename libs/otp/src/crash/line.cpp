#include "crash/line.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sinew::crash {
namespace {

/// "3Led..." gives "Led"; empty: there is no such part in front. `rest` is what follows.
std::string_view take_part(std::string_view& rest) noexcept {
    std::size_t length = 0;
    std::size_t digits = 0;
    while (digits < rest.size() && digits < 4 && rest[digits] >= '0' && rest[digits] <= '9') {
        length = length * 10 + static_cast<std::size_t>(rest[digits] - '0');
        ++digits;
    }
    if (length == 0 || length > rest.size() - digits) {
        return {};
    }
    std::string_view const part = rest.substr(digits, length);
    rest.remove_prefix(digits + length);
    return part;
}

bool is_one_part(std::string_view text) noexcept {
    return !take_part(text).empty() && text.empty();
}

} // namespace

Line& Line::add(std::string_view text) noexcept {
    std::size_t const count = std::min(text.size(), m_text.size() - m_length);
    std::ranges::copy(text.substr(0, count), m_text.begin() + static_cast<std::ptrdiff_t>(m_length));
    m_length += count;
    return *this;
}

void Line::add_digits(std::uint64_t number, unsigned base) noexcept {
    std::array<char, 20> digits{};
    std::size_t at = digits.size();
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    (void)add({digits.data() + at, digits.size() - at});
}

Line& Line::add_number(std::uint64_t number) noexcept {
    add_digits(number, 10);
    return *this;
}

Line& Line::add_hexadecimal(std::uint64_t number) noexcept {
    (void)add("0x");
    add_digits(number, 16);
    return *this;
}

// The C++ ABI's form of a name: "3Led", "N5pumps3LedE" for pumps::Led, "St9exception" for std::exception. Templates
// stay as they are.
Line& Line::add_type(std::string_view mangled) noexcept {
    if (mangled.starts_with("St") && is_one_part(mangled.substr(2))) {
        return add("std::").add_type(mangled.substr(2));
    }
    bool const is_nested = mangled.size() > 2 && mangled.front() == 'N' && mangled.back() == 'E';
    std::string_view rest = is_nested ? mangled.substr(1, mangled.size() - 2) : mangled;
    std::size_t const length_before = m_length;
    while (!rest.empty()) {
        std::string_view const part = take_part(rest);
        if (part.empty()) {
            m_length = length_before;
            return add(mangled);
        }
        (void)add(m_length == length_before ? "" : "::");
        (void)add(part.starts_with("_GLOBAL__N_") ? std::string_view("(anonymous namespace)") : part);
    }
    return *this;
}

} // namespace sinew::crash
