/// The control protocol between sinew-sim's commands and its server: one JSON object a line, over a Unix
/// socket.
///
///     -> {"command":"set","line":"5","value":1}
///     <- {"ok":true,"lines":[{"line":5,"name":"","direction":"input","value":1,"driven":true,"changes":3,
///         "first_change_ns":98765432}]}
///     -> {"command":"watch","line":"4"}
///     <- {"ok":true,"lines":[...]}
///     <- {"event":"level","line":4,"name":"LED0","value":1,"time_ns":123456789,"sequence":1,"missed":0}
///
/// Invariant: a line has at most most_line_bytes bytes.
/// Threading: plain values and functions without shared state.
#pragma once

#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sinew::sim {

inline constexpr std::size_t most_line_bytes = 4096;

enum class Verb : std::uint8_t { get, set, release, watch, list, temperature };
BOOST_DESCRIBE_ENUM(Verb, get, set, release, watch, list, temperature)

struct Request {
    Verb command = Verb::list;
    /// "4", "cp2112_gpio:4", or a name given to the server. None with list; with watch none means every line.
    std::optional<std::string> line;
    /// set: 0 or 1.
    std::optional<int> value;
    /// temperature: what to set; none asks.
    std::optional<double> celsius;
};
BOOST_DESCRIBE_STRUCT(Request, (), (command, line, value, celsius))

enum class LineDirection : std::uint8_t { input, output };
BOOST_DESCRIBE_ENUM(LineDirection, input, output)

/// A line as the simulated hardware has it.
struct LineState {
    int line = 0;
    std::string name;
    /// Seen from the kernel.
    LineDirection direction = LineDirection::input;
    int value = 0;
    /// Whether `set` holds it.
    bool driven = false;
    /// How often its level has changed since the server started, whoever changed it.
    std::int64_t changes = 0;
    /// When it changed for the first time, CLOCK_MONOTONIC.
    std::optional<std::int64_t> first_change_ns;
};
BOOST_DESCRIBE_STRUCT(LineState, (), (line, name, direction, value, driven, changes, first_change_ns))

struct Reply {
    bool ok = false;
    std::string error;
    std::vector<LineState> lines;
    std::optional<double> celsius;
    /// list: how often the kernel has looked at the levels since the server started.
    std::optional<std::int64_t> looks{};
};
BOOST_DESCRIBE_STRUCT(Reply, (), (ok, error, lines, celsius, looks))

/// A change of a watched line.
struct LevelEvent {
    /// Always "level".
    std::string event = "level";
    int line = 0;
    std::string name;
    int value = 0;
    /// CLOCK_MONOTONIC.
    std::int64_t time_ns = 0;
    /// 1, 2, ... for this watcher.
    std::int64_t sequence = 0;
    /// Changes just before this one that were dropped because the watcher did not read.
    std::int64_t missed = 0;
};
BOOST_DESCRIBE_STRUCT(LevelEvent, (), (event, line, name, value, time_ns, sequence, missed))

/// Error invalid_argument: not JSON, not a request, or a value that its command has no use for.
[[nodiscard]] Result<Request> parse_request(std::string_view line);
/// Error protocol: neither a reply nor an event.
[[nodiscard]] Result<std::variant<Reply, LevelEvent>> parse_message(std::string_view line);

/// One line, its line feed included.
template<typename Message>
[[nodiscard]] std::string format_line(Message const& message) {
    return to_json(message) + "\n";
}

/// Takes whole lines out of what a stream delivers in pieces.
class LineBuffer {
public:
    /// Error invalid_argument: a line is longer than most_line_bytes; nothing more can be taken.
    [[nodiscard]] Result<> append(std::string_view bytes);
    /// The next whole line, without its line feed.
    [[nodiscard]] std::optional<std::string> next();

private:
    std::string m_bytes;
};

} // namespace sinew::sim
