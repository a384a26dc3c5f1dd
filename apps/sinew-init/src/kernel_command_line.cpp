/// Implements the parser of /proc/cmdline.
///
/// Invariant: at most 16 KiB are looked at; the kernel's own limit is below that on every architecture.
#include "kernel_command_line.hpp"

#include <sinew/base/text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::init {
namespace {

constexpr std::size_t max_command_line_bytes = 16u << 10;
constexpr std::size_t max_serial_bytes = 64;
constexpr std::int64_t most_counted = 1000;

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

/// The words with their quotes still in place: finit_module(2) reads quotes too.
std::vector<std::string_view> split_words(std::string_view text) {
    text = text.substr(0, max_command_line_bytes);
    std::vector<std::string_view> words;
    std::size_t at = 0;
    while (at < text.size()) {
        while (at < text.size() && is_blank(text[at])) {
            ++at;
        }
        auto const start = at;
        bool quoted = false;
        while (at < text.size() && (quoted || !is_blank(text[at]))) {
            quoted = quoted != (text[at] == '"');
            ++at;
        }
        if (at > start) {
            words.push_back(text.substr(start, at - start));
        }
    }
    return words;
}

std::string without_quotes(std::string_view text) {
    std::string plain(text);
    std::erase(plain, '"');
    return plain;
}

int small_count(std::string_view text) {
    return static_cast<int>(parse_int64(text, 0, most_counted).value_or(0));
}

char underscored(char c) {
    return c == '-' ? '_' : c;
}

bool same_module(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, {}, underscored, underscored);
}

} // namespace

KernelCommandLine parse_kernel_command_line(std::string_view text) {
    KernelCommandLine result;
    for (auto const word : split_words(text)) {
        auto const equals = word.find('=');
        if (equals == std::string_view::npos) {
            continue;
        }
        auto const key = word.substr(0, equals);
        auto const value = without_quotes(word.substr(equals + 1));
        if (key == "sinew.slot") {
            result.slot = value == "a" || value == "b" ? value : std::string();
        } else if (key == "sinew.trial") {
            result.trial = value == "1";
        } else if (key == "sinew.rolled_back") {
            result.rolled_back = value == "1";
        } else if (key == "sinew.starts") {
            result.starts = small_count(value);
        } else if (key == "sinew.runs") {
            result.runs = small_count(value);
        } else if (key == "sinew.serial") {
            result.serial_number = value.substr(0, max_serial_bytes);
        }
    }
    return result;
}

std::string module_parameters(std::string_view text, std::string_view module) {
    std::string parameters;
    for (auto const word : split_words(text)) {
        auto const dot = word.find('.');
        if (dot == std::string_view::npos || dot > word.find('=') ||
            !same_module(word.substr(0, dot), module)) {
            continue;
        }
        parameters += parameters.empty() ? "" : " ";
        parameters += word.substr(dot + 1);
    }
    return parameters;
}

} // namespace sinew::init
