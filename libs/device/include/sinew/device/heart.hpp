/// Heart: pets the hardware watchdog for as long as the supervision tree it lives in answers.
///
/// Invariant: a pet follows an answer of its own supervisor, so a hung scheduler, a hung supervisor or the
/// end of this program all lead to a reset. It never stops the watchdog: during a shutdown PID 1 goes on
/// petting. Threading: a server.
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
};

class Heart : public Server<Heart> {
public:
    using Options = HeartOptions;
    struct Beat {};
    explicit Heart(Options options);
    void init();
    void handle_info(Beat beat);

private:
    void pet();
    void hear(bool has_answered);
    Options m_options;
    SupervisorRef m_supervisor;
    MonotonicTime m_started;
    bool m_was_answered = false;
};

} // namespace sinew::device
