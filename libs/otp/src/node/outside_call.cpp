// How a thread outside the scheduler waits for an answer; in a simulation it runs everyone meanwhile.
#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/timer_wheel.hpp"
#include "messages/external_reply.hpp"
#include "messages/pending.hpp"
#include "simulation/virtual_run.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/pending.hpp>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace sinew::detail {
namespace {

void wait_outside(ExternalReply& waiting, Duration timeout) {
    NodeCore& core = *t_context.core;
    if (core.is_simulated()) {
        std::int64_t const now_ns = core.now_ns();
        bool const is_forever = timeout.count() >= TimerWheel::never - now_ns;
        run_simulation_until(
            core, is_forever ? TimerWheel::never : now_ns + timeout.count(),
            [](void* argument) { return static_cast<ExternalReply*>(argument)->reply != nullptr; }, &waiting);
        return;
    }
    std::unique_lock lock(waiting.mutex);
    auto const has_reply = [&waiting] { return waiting.reply != nullptr; };
    if (timeout == Duration::max()) {
        waiting.changed.wait(lock, has_reply);
    } else {
        waiting.changed.wait_for(lock, timeout, has_reply);
    }
}

} // namespace

Envelope* wait_for_reply(RequestStart& start) {
    NodeCore& core = require_core();
    if (t_context.process != nullptr || (t_context.worker != nullptr && !core.is_simulated())) {
        discard_request(start);
        throw std::logic_error("sinew::call() inside a process would block its scheduler thread; use "
                               "`co_await request(...)` or `request(...).then(...)` there");
    }
    auto* const waiting = new ExternalReply;
    std::uint64_t const ref = external_bit | static_cast<std::uint64_t>(core.node_index) << node_index_shift |
                              core.next_shared_sequence();
    start.go(start, ReplyPath(reinterpret_cast<std::uint64_t>(waiting), ref));
    wait_outside(*waiting, start.timeout.value_or(Duration::max()));
    Envelope* reply = nullptr;
    {
        std::lock_guard const lock(waiting->mutex);
        reply = std::exchange(waiting->reply, nullptr);
        waiting->has_given_up = true;
    }
    waiting->release();
    return reply != nullptr ? reply : make_failure(ref, RequestFailure::timed_out, {});
}

} // namespace sinew::detail
