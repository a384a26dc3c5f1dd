/// Implements <sinew/device/log_line.hpp>.
///
#include <sinew/device/log_line.hpp>
#include <sinew/otp/log.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace sinew::device {
namespace {

// What log::format() puts in front; '0' stands for any digit.
constexpr std::string_view time_pattern = "0000-00-00 00:00:00.000 [";

constexpr std::array levels{
    std::pair(std::string_view("debug"), log::Level::debug),
    std::pair(std::string_view("info"), log::Level::info),
    std::pair(std::string_view("notice"), log::Level::notice),
    std::pair(std::string_view("warning"), log::Level::warning),
    std::pair(std::string_view("error"), log::Level::error),
};

bool starts_with_time(std::string_view line) noexcept {
    if (line.size() < time_pattern.size()) {
        return false;
    }
    for (std::size_t at = 0; at < time_pattern.size(); ++at) {
        bool const fits =
            time_pattern[at] == '0' ? line[at] >= '0' && line[at] <= '9' : line[at] == time_pattern[at];
        if (!fits) {
            return false;
        }
    }
    return true;
}

} // namespace

LogLine read_log_line(std::string_view line) noexcept {
    if (!starts_with_time(line)) {
        return {.text = line};
    }
    auto const rest = line.substr(time_pattern.size());
    for (auto const& [name, level] : levels) {
        if (rest.starts_with(name) && rest.substr(name.size()).starts_with("] ")) {
            return {.level = level, .text = rest.substr(name.size() + 2)};
        }
    }
    return {.text = line};
}

} // namespace sinew::device
