/// Tells the service manager that this application still answers: WATCHDOG=1 of sd_notify(3), as often as
/// WATCHDOG_USEC asks for.
///
/// Invariant: a pulse follows a turn of the scheduler; it stops for good when the top supervisor hasn't answered
/// for long, which it may while it waits for a child's start. Threading: a server.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/otp/server.hpp>
#include <sinew/otp/supervisor.hpp>

#include <optional>
#include <string_view>

namespace sinew::detail {

/// From the text of WATCHDOG_USEC; nothing: nobody listens.
[[nodiscard]] std::optional<Duration> pulse_limit(std::string_view watchdog_usec);

struct PulseOptions {
    SupervisorRef top = {};
    /// Without a pulse for so long the application is ended. One comes every sixth of it.
    Duration limit{};
};

class Pulse : public Server<Pulse> {
public:
    using Options = PulseOptions;
    struct Beat {};
    explicit Pulse(Options options);
    void init();
    void handle_info(Beat beat);

private:
    Options m_options;
    MonotonicTime m_last_answer;
    bool m_is_asking = false;
};

} // namespace sinew::detail
