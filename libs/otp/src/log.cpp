#include "context.hpp"
#include "kernel.hpp"
#include "node_core.hpp"
#include "process.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/log.hpp>

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

namespace sinew {
namespace log {
namespace {

std::string_view name_of(Level level) noexcept {
    switch (level) {
    case Level::debug:
        return "debug";
    case Level::info:
        return "info";
    case Level::notice:
        return "notice";
    case Level::warning:
        return "warning";
    case Level::error:
        return "error";
    }
    return "?";
}

Level level_from_environment() noexcept {
    char const* const text = std::getenv("SINEW_LOG"); // NOLINT(concurrency-mt-unsafe): read once, never set
    for (Level const level : {Level::debug, Level::info, Level::notice, Level::warning, Level::error}) {
        if (text != nullptr && name_of(level) == text) {
            return level;
        }
    }
    return Level::info;
}

std::string time_text(WallTime time) {
    auto const milliseconds = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
    std::time_t const seconds = milliseconds / 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::size_t const length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
    std::array<char, 8> fraction{};
    (void)std::snprintf(fraction.data(), fraction.size(), ".%03d", static_cast<int>(milliseconds % 1000));
    return std::string(text.data(), length) + fraction.data();
}

class StandardError final : public Sink {
public:
    void write(Event const& event) noexcept override {
        if (event.level < m_level) {
            return;
        }
        try {
            std::string const line = format(event) + "\n";
            (void)!::write(STDERR_FILENO, line.data(), line.size());
        } catch (...) {
            // Out of memory: the line is lost, the process that logs it is not.
            return;
        }
    }

private:
    Level m_level = level_from_environment();
};

} // namespace

Sink& standard_error() noexcept {
    static StandardError sink;
    return sink;
}

std::string format(Event const& event) {
    std::string line = time_text(event.time) + " [" + std::string(name_of(event.level)) + "] ";
    if (event.process) {
        line += event.process.to_string() + " ";
    }
    if (!event.label.empty()) {
        line += event.label + ": ";
    }
    return line + std::string(event.text);
}

void write(Level level, std::string_view text) {
    detail::NodeCore const* const core = detail::t_context.core;
    Event event{.level = level, .time = SystemClock().wall_now(), .process = {}, .label = {}, .text = text};
    if (detail::Process const* const process = detail::t_context.process) {
        event.process = process->pid();
        event.label = detail::label_of(*process);
    }
    (core != nullptr ? core->sink : standard_error()).write(event);
}

} // namespace log

namespace detail {

std::string label_of(Process const& process) {
    if (process.extras != nullptr && !process.extras->label.empty()) {
        return process.extras->label;
    }
    return process.behaviour != nullptr ? readable_type_name(*process.behaviour->type) : "process";
}

std::string describe(Process const& process) {
    return label_of(process) + " " + process.pid().to_string();
}

void report_crash(Process const& process) {
    std::string text = "crashed: " + process.exit_reason.to_string();
    if (!process.exit_reason.origin().empty()) {
        text += " (in " + std::string(process.exit_reason.origin()) + ", after " +
                std::to_string(process.messages_handled) + " messages)";
    }
    log::error(text);
}

void report_unhandled(Process const& /*process*/, std::string_view what) {
    log::notice("dropped " + std::string(what) + ": it has no handle_info() for it");
}

} // namespace detail
} // namespace sinew
