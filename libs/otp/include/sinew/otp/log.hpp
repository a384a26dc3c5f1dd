/// Log lines: a level, the process they come from, a text. One line, one write(2).
///
///     sinew::log::info("the sensor answers again");
///     2026-11-22 22:10:36.123 [info] <4.1> TemperatureReader: the sensor answers again
///
/// Invariant: a line is written whole or not at all. Threading: any thread; a Sink's write() may be called by
/// several at once.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/otp/pid.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace sinew::log {

enum class Level : std::uint8_t { debug, info, notice, warning, error };

struct Event {
    Level level = Level::info;
    WallTime time;
    /// Empty outside a process.
    Pid process;
    std::string label;
    std::string_view text;
};

/// Where log lines go. Handed to a Node.
class Sink {
public:
    Sink() = default;
    Sink(Sink const&) = delete;
    Sink& operator=(Sink const&) = delete;
    Sink(Sink&&) = delete;
    Sink& operator=(Sink&&) = delete;
    virtual ~Sink() = default;
    virtual void write(Event const& event) noexcept = 0;
};

/// The sink used without another: standard error, from level info on
/// (SINEW_LOG=debug|info|notice|warning|error).
[[nodiscard]] Sink& standard_error() noexcept;
/// The line as standard_error() writes it, without a line feed.
[[nodiscard]] std::string format(Event const& event);

/// Writes to the current node's sink, or to standard error.
void write(Level level, std::string_view text);
inline void debug(std::string_view text) {
    write(Level::debug, text);
}
inline void info(std::string_view text) {
    write(Level::info, text);
}
inline void notice(std::string_view text) {
    write(Level::notice, text);
}
inline void warning(std::string_view text) {
    write(Level::warning, text);
}
inline void error(std::string_view text) {
    write(Level::error, text);
}

} // namespace sinew::log
