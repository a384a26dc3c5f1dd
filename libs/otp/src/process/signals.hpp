/// Signals: what processes tell each other beside messages: exits, links, monitors.
///
/// Invariant: a signal acts when it reaches its process, ahead of the mailbox, in the order of sending.
/// Threading: any, of a process or of one outside.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/messages.hpp>
#include <sinew/otp/pid.hpp>
#include <sinew/otp/request.hpp>

#include <chrono>
#include <cstdint>

namespace sinew::detail {

enum class ExitCause : std::uint8_t { request, link };
/// From the process `from`.
void send_exit(Pid to, Pid from, ExitReason reason, ExitCause cause);
void send_link(Pid to, Pid from);
void send_unlink(Pid to, Pid from);
void send_monitor(Pid to, Pid from, MonitorRef ref);
void send_demonitor(Pid to, MonitorRef ref);
void send_down(Pid to, Down down);

/// A killed process that hasn't ended after so long is in a handler that doesn't return: whoever waits for it
/// goes on without it.
inline constexpr Duration kill_limit = std::chrono::seconds(1);

/// Asks `to` to end with `reason`, and answers with the reason it ended with (noproc: it was gone).
[[nodiscard]] Request<ExitReason> end_process(Pid to, ExitReason reason, Duration timeout);

} // namespace sinew::detail
