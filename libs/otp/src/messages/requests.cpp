// How a request begins, and the way of its answer back to who asked.
#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "messages/external_reply.hpp"
#include "messages/mailbox.hpp"
#include "messages/pending.hpp"

#include <sinew/otp/call.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/request.hpp>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <typeinfo>
#include <utility>

namespace sinew::detail {

void begin_request(RequestStart& start, ReplyPath path) {
    if (start.target && start.target == self()) {
        path.fail(RequestFailure::calling_self);
        discard_request(start);
        return;
    }
    start.go(start, std::move(path));
}

void begin_request(RequestStart& start, Pending& pending) {
    arm_pending(pending, start.timeout);
    try {
        begin_request(start, path_to(pending));
    } catch (...) {
        disarm_pending(pending);
        throw;
    }
}

void begin_request(RequestStart& start, Pending& pending, std::coroutine_handle<> waiter) {
    arm_pending(pending, start.timeout);
    try {
        suspend_for(pending, waiter);
        begin_request(start, path_to(pending));
    } catch (...) {
        Process& process = *pending.owner;
        process.flags &= ~(Process::is_suspended | Process::is_ready);
        if (process.extras != nullptr) {
            process.extras->ready = nullptr; // Sending may have been answered before it threw.
        }
        pending.waiter = {};
        disarm_pending(pending);
        throw;
    }
}

void discard_request(RequestStart& start) noexcept {
    if (start.envelope != nullptr) {
        Envelope* const envelope = std::exchange(start.envelope, nullptr);
        envelope->ops->discard(*envelope, ExitReason::noproc());
        free_envelope(envelope);
    }
}

RequestStart make_request_start(Pid target, std::type_info const& target_type,
                                std::type_info const& request_type, Envelope* envelope,
                                std::optional<Duration> timeout) {
    RequestStart start;
    start.target = target;
    start.envelope = envelope;
    start.label.target = target;
    start.label.target_type = &target_type;
    start.label.request_type = &request_type;
    start.timeout = timeout;
    return start;
}

namespace {

struct CustomStart {
    std::function<void(ReplyPath)> function;
};
constexpr MessageOps custom_start_ops{.discard = &discard_payload<CustomStart>, .type = &typeid(CustomStart)};

} // namespace

RequestStart custom_request(std::function<void(ReplyPath)> function, RequestLabel label,
                            std::optional<Duration> timeout) {
    RequestStart start;
    start.label = label;
    start.timeout = timeout;
    start.envelope = make_envelope<CustomStart>(custom_start_ops, std::move(function));
    start.go = [](RequestStart& self, ReplyPath path) {
        Envelope* const envelope = std::exchange(self.envelope, nullptr);
        auto run = std::move(payload_of<CustomStart>(*envelope).function);
        bounce(envelope);
        run(std::move(path));
    };
    return start;
}

void ReplyPath::answer(Envelope* reply) noexcept {
    std::uint64_t const address = std::exchange(m_address, 0);
    std::uint64_t const ref = std::exchange(m_ref, 0);
    if ((ref & external_bit) != 0) {
        auto* const waiting = reinterpret_cast<ExternalReply*>(address);
        waiting->put(reply);
        waiting->release();
        return;
    }
    NodeCore* const core = node_by_index(static_cast<unsigned>(ref >> node_index_shift & node_index_mask));
    if (core == nullptr) {
        bounce(reply);
        return;
    }
    deliver(core->node, Pid::from_value(address), reply);
}

void ReplyPath::answer_from_handler(Envelope* reply) {
    ProcessScope const scope("handle_call()");
    Process& process = scope.process();
    if (process.has(Process::stop_requested)) {
        process.more().held_replies.emplace_back(std::move(*this), reply);
        return;
    }
    answer(reply);
}

void ReplyPath::fail(RequestFailure failure, ExitReason const& reason) noexcept {
    if (m_ref != 0) {
        answer(make_failure(m_ref, failure, reason));
    }
}

void ReplyPath::drop_unanswered() noexcept {
    RuntimeScope const scope;
    ensure_worker();
    if (t_context.dying_reason != nullptr) {
        fail(RequestFailure::ended, *t_context.dying_reason);
    } else if (t_context.process != nullptr && std::uncaught_exceptions() > 0) {
        // If nobody catches it the process ends, and its reason is the answer; see let_unanswered_go().
        t_context.process->more().unanswered.push_back(std::move(*this));
        t_context.process->flags |= Process::has_unanswered;
    } else {
        fail(RequestFailure::dropped);
    }
}

} // namespace sinew::detail
