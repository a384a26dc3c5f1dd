#include "process/guard.hpp"

#include "core/context.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "crash/throw_place.hpp"
#include "process/stop.hpp"

#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/exit_reason.hpp>

#include <exception>
#include <new>
#include <string>
#include <utility>

namespace sinew::detail {

std::string const& in_init() {
    static std::string const text = "init()";
    return text;
}
std::string const& in_terminate() {
    static std::string const text = "terminate()";
    return text;
}
std::string const& in_handler() {
    static std::string const text = "a handler";
    return text;
}

void fail_as_asked(Process& process, ExitReason reason) {
    process.flags &= ~Process::has_unanswered; // They hear of its end.
    if (process.has(Process::is_terminating) || process.has(Process::is_initialising)) {
        doom(process, std::move(reason));
    } else {
        process.flags &= ~Process::stop_requested;
        request_stop(process, std::move(reason));
    }
}

void fail_by_exception(Process& process, std::exception_ptr const& exception, std::string const& origin) {
    // Who waits for answers hears of its end.
    process.flags = (process.flags & ~Process::has_unanswered) | Process::has_crashed;
    MessageOps const* const handling = t_context.worker->handling;
    if (process.extras == nullptr) {
        process.extras = new (std::nothrow) Extras; // It may be out of memory that it fails.
    }
    if (process.extras != nullptr) {
        process.extras->failed_message = handling != nullptr ? handling->type : nullptr;
        process.extras->thrown_at = crash::place_of_throw(exception);
    }
    ExitReason reason = ExitReason::from_exception(exception, origin);
    if (process.has(Process::is_terminating) || process.has(Process::is_initialising)) {
        doom(process, std::move(reason));
        process.flags |= Process::has_crashed;
        return;
    }
    // The first failure counts; a stop that was asked for before it doesn't.
    process.flags &= ~Process::stop_requested;
    request_stop(process, std::move(reason));
}

void let_unanswered_go(Process& process) noexcept {
    process.flags &= ~Process::has_unanswered;
    for (ReplyPath& path : std::exchange(process.extras->unanswered, {})) {
        path.fail(RequestFailure::dropped);
    }
}

} // namespace sinew::detail
