/// Console: what a command says, to a person at a terminal, to a log file or to a script.
///
/// Colours and progress bars appear on terminals only. With --json standard output holds exactly one JSON
/// object; what is meant for people is left out, but for warnings and the progress of long steps, which go to
/// the diagnostics stream. One thread.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace sinew::tooling {

/// What a step's progress is counted in.
enum class ProgressUnit : std::uint8_t { bytes, percent, steps };

struct ConsoleOptions {
    bool colours = false;
    /// Bars that are drawn anew, for terminals. Otherwise a long step prints a line now and then.
    bool progress = false;
    bool json = false;
    bool verbose = false;
};

class Console {
public:
    /// Borrows both streams.
    Console(std::FILE* output, std::FILE* diagnostics, ConsoleOptions options)
        : m_output(output)
        , m_diagnostics(diagnostics)
        , m_options(options) {}

    /// Colours and progress when `output` is a terminal, TERM is not "dumb", and (colours) NO_COLOR is not
    /// set.
    [[nodiscard]] static ConsoleOptions detect(std::FILE* output);

    [[nodiscard]] ConsoleOptions const& options() const noexcept { return m_options; }
    /// A line for people on standard output; nothing with --json.
    void say(std::string_view line);
    /// A line that opens a step of the work; bold.
    void step(std::string_view line);
    /// A line that tells something good has been reached; green.
    void success(std::string_view line);
    /// Something to know that is no failure, on the diagnostics stream.
    void warn(std::string_view line);
    /// A line only with --verbose, on the diagnostics stream.
    void detail(std::string_view line);
    /// How long `what` took; with --verbose.
    void timing(std::string_view what, Duration took);
    /// The failure a command ends with: "error: message", and {"error": ...} with --json.
    void error(Error const& error);
    /// The command's result for scripts: printed with --json only.
    void result(Value const& value);
    /// How far a step is: `done` of `total` (0: unknown). Draws a bar at most 20 times a second; where there
    /// is no terminal a line on the diagnostics stream tells of it every ten seconds.
    void progress(std::string_view label, std::uint64_t done, std::uint64_t total,
                  ProgressUnit unit = ProgressUnit::bytes);
    /// The step is over: takes the progress bar off the screen.
    void end_progress();

    /// `text` in bold where there are colours.
    [[nodiscard]] std::string bold(std::string_view text) const;
    [[nodiscard]] std::string dim(std::string_view text) const;

private:
    [[nodiscard]] std::string paint(std::string_view code, std::string_view text) const;
    void line(std::FILE* stream, std::string_view text);
    void draw_bar(std::string_view label, std::uint64_t done, std::uint64_t total, ProgressUnit unit);

    std::FILE* m_output;
    std::FILE* m_diagnostics;
    ConsoleOptions m_options;
    bool m_in_progress = false;
    bool m_progress_drawn = false;
    MonotonicTime m_last_draw{};
    MonotonicTime m_progress_began{};
};

/// A member of a JSON object in the making: {"size_bytes", 12}.
class Member {
public:
    template<typename T>
    Member(std::string key, T&& value)
        : m_key(std::move(key))
        , m_value(to_value(std::forward<T>(value))) {}
    [[nodiscard]] std::string const& key() const noexcept { return m_key; }
    [[nodiscard]] Value const& value() const noexcept { return m_value; }

private:
    template<typename T>
    static Value to_value(T&& value) {
        using Plain = std::remove_cvref_t<T>;
        if constexpr (std::is_same_v<Plain, Value>) {
            return std::forward<T>(value);
        } else if constexpr (std::is_same_v<Plain, bool>) {
            return Value(Value::Data(value));
        } else if constexpr (std::is_integral_v<Plain>) {
            return Value(Value::Data(static_cast<std::int64_t>(value)));
        } else if constexpr (std::is_same_v<Plain, Value::Array> || std::is_same_v<Plain, double>) {
            return Value(Value::Data(std::forward<T>(value)));
        } else {
            return Value(Value::Data(std::string(std::forward<T>(value))));
        }
    }
    std::string m_key;
    Value m_value;
};
/// A JSON object, for Console::result().
[[nodiscard]] Value object(std::vector<Member> const& members);

/// Tells the console how long a step took when it goes out of scope.
class StepTimer {
public:
    StepTimer(Console& console, std::string what)
        : m_console(console)
        , m_what(std::move(what))
        , m_began(SystemClock().now()) {}
    ~StepTimer() { m_console.timing(m_what, SystemClock().now() - m_began); }
    StepTimer(StepTimer const&) = delete;
    StepTimer& operator=(StepTimer const&) = delete;
    StepTimer(StepTimer&&) = delete;
    StepTimer& operator=(StepTimer&&) = delete;

private:
    Console& m_console;
    std::string m_what;
    MonotonicTime m_began;
};

/// "12.3 MB": decimal units, three digits.
[[nodiscard]] std::string format_size(std::uint64_t size_bytes);
/// "1GiB", "512MiB", "64M", "4096" as bytes. Error invalid_argument.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);
} // namespace sinew::tooling
