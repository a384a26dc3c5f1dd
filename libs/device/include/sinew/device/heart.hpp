/// Heart: pets the hardware watchdog for as long as the supervision tree it lives in answers, PID 1 lives, and
/// nobody has asked for a reboot.
///
/// Invariant: a pet follows an answer of its own supervisor and a beat of PID 1, so a hung scheduler, a hung
/// supervisor, a frozen PID 1 and the end of this program all lead to a reset, and so does a reboot that was asked
/// for and doesn't come. It never stops the watchdog: during a shutdown PID 1 goes on petting. Threading: a
/// server.
#pragma once

#include <sinew/otp.hpp>

#include <chrono>
#include <functional>

namespace sinew::device {

struct HeartOptions {
    /// Restarts the countdown; doesn't block.
    std::function<Result<>()> pet;
    /// The time without a pet after which the machine resets. A pet comes every third of it.
    std::chrono::milliseconds timeout = std::chrono::seconds(60);
    /// While its supervisor is still starting its children it can't answer; it is trusted for so long.
    Duration startup_limit = std::chrono::seconds(60);
    /// Whether PID 1 has beaten since this was last asked; empty: it isn't watched. Doesn't block.
    std::function<bool()> pid_1_has_beaten = {};
    /// So long without a beat of PID 1 is too long; it beats every 5 s.
    Duration pid_1_limit = std::chrono::seconds(20);
};

class Heart : public Server<Heart> {
public:
    using Options = HeartOptions;
    struct Beat {};
    /// Somebody has asked for a reboot: no pet from now on.
    struct Stop {};
    explicit Heart(Options options);
    void init();
    void handle_info(Beat beat);
    void handle_info(Stop stop);

private:
    void pet();
    void hear(bool has_answered);
    [[nodiscard]] bool pid_1_lives();
    Options m_options;
    SupervisorRef m_supervisor;
    MonotonicTime m_started;
    MonotonicTime m_last_beat_of_pid_1;
    bool m_was_answered = false;
    bool m_is_stopped = false;
};

} // namespace sinew::device
