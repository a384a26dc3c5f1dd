/// Implements find_serial_number().
///
/// Invariant: a number is UTF-8 without control characters, made of 1 to 64 bytes, and without blanks at its ends.
#include "serial_number.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/text.hpp>
#include <sinew/base/utf8.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace sinew::init {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_file_bytes = 4096;
constexpr std::size_t max_serial_bytes = 64;
constexpr std::string_view ethernet_type = "1"; // ARPHRD_ETHER

constexpr std::array<std::string_view, 9> placeholders{
    "none",           "not specified",        "not applicable", "to be filled by o.e.m.",
    "default string", "system serial number", "unknown",        "n/a",
    "invalid"};

std::string trimmed(std::string_view text) {
    auto const is_padding = [](char c) { return c <= ' ' || c > '~'; };
    while (!text.empty() && is_padding(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_padding(text.back())) {
        text.remove_suffix(1);
    }
    std::string serial(cut_utf8(text, max_serial_bytes));
    std::ranges::replace_if(
        serial, [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; }, '?');
    return valid_utf8(std::move(serial));
}

std::string read_trimmed(fs::path const& path) {
    auto const text = read_text_file(path, max_file_bytes);
    return text ? trimmed(*text) : std::string();
}

/// `text`, or nothing where it only stands for "nobody filled this in".
std::string believable(std::string text) {
    if (std::ranges::all_of(text, [](char c) { return c == '0' || c == ':' || c == '-' || c == ' '; })) {
        return {};
    }
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return std::ranges::find(placeholders, lower) == placeholders.end() ? text : std::string();
}

std::string first_ethernet_address(fs::path const& net) {
    int best_index = std::numeric_limits<int>::max();
    std::string best;
    std::error_code error;
    for (fs::directory_iterator entry(net, error), end; !error && entry != end; entry.increment(error)) {
        auto const& folder = entry->path();
        int const index = parse_number<int>(read_trimmed(folder / "ifindex")).value_or(0);
        auto address = believable(read_trimmed(folder / "address"));
        if (read_trimmed(folder / "type") == ethernet_type && !address.empty() && index < best_index) {
            best_index = index;
            best = std::move(address);
        }
    }
    std::erase(best, ':');
    return best;
}

} // namespace

std::string find_serial_number(std::string_view from_command_line, fs::path const& root) {
    if (auto serial = trimmed(from_command_line); !serial.empty()) {
        return serial;
    }
    for (auto const* path : {"sys/class/dmi/id/product_serial", "proc/device-tree/serial-number"}) {
        if (auto serial = believable(read_trimmed(root / path)); !serial.empty()) {
            return serial;
        }
    }
    auto address = first_ethernet_address(root / "sys/class/net");
    return address.empty() ? std::string(unknown_serial_number) : address;
}

} // namespace sinew::init
