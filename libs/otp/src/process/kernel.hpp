/// Kernel: what happens to processes: start, handlers, signals, exits. The workers call it; so do the public
/// functions.
///
/// Invariant: the death of a process goes in this order: names, timers and requests, the waiting handler, the
/// state, the mailbox, then exit signals and Down messages. Nobody hears of an end while its name or state
/// still exists. Threading: on the owner's thread of the process named first.
#pragma once

#include "process/process.hpp"
#include "scheduler/worker.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/messages.hpp>
#include <sinew/otp/request.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace sinew::detail {

/// Thrown by exit_self(); deliberately not a std::exception.
struct ExitRequest {
    ExitReason reason;
};

enum class Attention : std::uint8_t {
    go_on,
    wait,
    ended,
    /// A message was dealt with; look again.
    again
};
/// Starts, resumes, terminates or ends the process, as its flags ask.
[[nodiscard]] Attention attend(Worker& worker, Process& process);
/// Runs the handler of one message; exceptions become the exit reason.
void handle(Worker& worker, Process& process, Envelope* envelope) noexcept;

/// The same for a process that may be receiving.
void handle_or_receive(Worker& worker, Process& process, Envelope* envelope) noexcept;
/// Its handler goes on after what it waited for.
void resume(Process& process);
/// Its coroutine is ended where it waits. Runs the user's destructors.
void end_coroutine(Process& process) noexcept;
/// Handles or receives one message of a process that is_receiving, if it has one for it.
[[nodiscard]] Attention attend_receiving(Worker& worker, Process& process);
/// Whether `envelope`, which came while the process is_receiving, is something for it to do.
[[nodiscard]] bool is_awaited(Process const& process, Envelope& envelope) noexcept;

/// The end of the process. Afterwards the record belongs to nobody.
void die(Worker& worker, Process& process);
/// As if the handler of the first message, which stays in the mailbox, had thrown: a simulated fault.
void crash(Worker& worker, Process& process) noexcept;
/// The running process handles system messages only, for `time`.
void stall(Process& process, Duration time);

/// It ends before its next message. The first reason stays, except that `killed` replaces a graceful one.
void doom(Process& process, ExitReason reason);
/// terminate() runs when its handler is done, then it ends.
void request_stop(Process& process, ExitReason reason);
/// An answer reached the process.
void accept_reply(Worker& worker, Process& process, Envelope* envelope);
/// An answer that says why there is none.
[[nodiscard]] Envelope* make_failure(std::uint64_t ref, RequestFailure failure, ExitReason const& reason);
/// Runs the continuation that waits for an answer.
void dispatch_reply(Process& process, Envelope* envelope);
/// The mailbox is long: warns, or keeps the limit. False: `envelope` was refused.
[[nodiscard]] bool makes_room(Process& process, Envelope& envelope) noexcept;
/// The running process sent to `process`, which has Overflow::block_sender: it waits if that is full.
void block_sender_if_full(Process& process, Pid pid);
/// With blocks_senders: they go on if there is room again.
void let_senders_go_on(Process& process);
/// The process has ended: they go on.
void let_all_senders_go_on(Pid pid, Extras& extras);
/// As a process has it when it begins.
void reset_mailbox_limit(Process& process) noexcept;
/// From a thread that is not of this node: leaves `envelope` with the process, and tells its worker.
void push_from_outside(Process& process, Pid pid, Envelope* envelope);
/// Nobody lives at that Pid any more.
void bounce(Envelope* envelope) noexcept;

/// Signals, sent by the process `from`.
enum class ExitCause : std::uint8_t { request, link };
void send_exit(Pid to, Pid from, ExitReason reason, ExitCause cause);
void send_link(Pid to, Pid from);
void send_unlink(Pid to, Pid from);
void send_monitor(Pid to, Pid from, MonitorRef ref);
void send_demonitor(Pid to, MonitorRef ref);
void send_down(Pid to, Down down);

/// Asks `to` to end with `reason`, and answers with the reason it ended with (noproc: it was gone).
[[nodiscard]] Request<ExitReason> end_process(Pid to, ExitReason reason, Duration timeout);

/// A message to a process's own handle_info, without knowing its class.
[[nodiscard]] Envelope* make_file_message(FileReady ready, std::uint64_t watch_id);
/// Takes messages out of the mailbox: Exit from `from`, Down of `ref`, or FileReady of a watch.
void flush_exits(Process& process, Pid from) noexcept;
void flush_downs(Process& process, MonitorRef ref) noexcept;

/// An Exit from its parent, which ends it even while it is suspended.
[[nodiscard]] bool is_parent_exit(Process const& process, Envelope& envelope) noexcept;

/// Disarms and forgets all timers and requests; heap requests are freed.
void drop_timers_and_requests(Worker& worker, Process& process) noexcept;
void close_file_watches(Worker& worker, Process& process) noexcept;
/// Watches again after a FileReady was handled; false: the watch is gone.
/// The watch of a FileReady message; 0: it is none.
[[nodiscard]] std::uint64_t watch_of(Envelope& envelope) noexcept;
[[nodiscard]] bool claim_file_message(Worker& worker, std::uint64_t watch_id) noexcept;
void rearm_file_watch(Worker& worker, std::uint64_t watch_id) noexcept;

/// Its label, or its class.
[[nodiscard]] std::string label_of(Process const& process);
/// "TemperatureReader <4.1>".
[[nodiscard]] std::string describe(Process const& process);
void report_crash(Process const& process);
void report_unhandled(Process const& process, std::string_view what);

} // namespace sinew::detail
