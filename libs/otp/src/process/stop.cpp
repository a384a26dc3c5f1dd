#include "process/stop.hpp"

#include "core/context.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/request.hpp>

#include <typeinfo>
#include <utility>

namespace sinew {
namespace detail {

void doom(Process& process, ExitReason reason) {
    if (process.has(Process::is_doomed | Process::is_dying)) {
        return;
    }
    process.flags = (process.flags | Process::is_doomed) & ~Process::has_crashed;
    process.exit_reason = std::move(reason);
    process.owner.load(std::memory_order_relaxed)->queue.make_runnable(process);
}

void request_stop(Process& process, ExitReason reason) {
    if (process.has(Process::stop_requested | Process::is_doomed | Process::is_dying)) {
        return;
    }
    process.flags |= Process::stop_requested;
    if (reason.kind() == ExitReason::Kind::error) {
        process.flags |= Process::has_crashed;
    }
    process.exit_reason = std::move(reason);
}

void stop_self(ExitReason reason) {
    ProcessScope const scope("stop()");
    request_stop(scope.process(), std::move(reason));
}

bool is_stop_requested() {
    ProcessScope const scope("init()");
    return scope.process().has(Process::stop_requested);
}

namespace {

struct StopMessage {
    ReplyPath path;
    ExitReason reason;
};
void deliver_stop(void* /*state*/, Envelope& envelope) {
    PayloadScope<StopMessage> const message(envelope);
    Process& process = *t_context.process;
    process.more().stop_waiters.push_back({std::move(message->path), message->reason});
    request_stop(process, std::move(message->reason));
}
void discard_stop(Envelope& envelope, ExitReason const& reason) noexcept {
    PayloadScope<StopMessage> const message(envelope);
    if (message->reason == reason) {
        message->path.answer(make_reply<void>(message->path));
    } else {
        message->path.fail(RequestFailure::ended, reason);
    }
}
constexpr MessageOps stop_ops{
    .deliver = &deliver_stop, .discard = &discard_stop, .type = &typeid(StopMessage), .is_system = true};

RequestStart start_stop(Pid pid, ExitReason reason, Duration timeout) {
    RequestStart start;
    start.target = pid;
    start.label = {.target = pid, .target_name = "process"};
    start.timeout = timeout;
    start.envelope = make_envelope<StopMessage>(stop_ops, ReplyPath(), std::move(reason));
    start.go = [](RequestStart& self, ReplyPath path) {
        payload_of<StopMessage>(*self.envelope).path = std::move(path);
        deliver(self.target, std::exchange(self.envelope, nullptr));
    };
    return start;
}

} // namespace

} // namespace detail

Request<void> stop(Pid pid, ExitReason reason, Duration timeout) {
    // Nobody could await it elsewhere: nothing would happen, without a word.
    (void)detail::require_process("stop() (elsewhere stop_and_wait() does the same)");
    return Request<void>(detail::start_stop(pid, std::move(reason), timeout));
}

Result<> stop_and_wait(Pid pid, ExitReason reason, Duration timeout) {
    detail::RequestStart start = detail::start_stop(pid, std::move(reason), timeout);
    detail::Envelope* const reply = detail::wait_for_reply(start);
    return detail::take_reply<void>(reply, start.label);
}

} // namespace sinew
