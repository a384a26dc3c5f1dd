/// Runs a process's own code, and makes what it throws the reason of its end.
///
/// Invariant: nothing gets past guarded(). Threading: on the process's thread.
#pragma once

#include "core/process.hpp"

#include <sinew/otp/exit_reason.hpp>

#include <exception>
#include <string>
#include <utility>

namespace sinew::detail {

/// Thrown by exit_self(); deliberately not a std::exception.
struct ExitRequest {
    ExitReason reason;
};

/// Where an exception came from, for the exit reason.
[[nodiscard]] std::string const& in_init();
[[nodiscard]] std::string const& in_handler();
[[nodiscard]] std::string const& in_terminate();

/// What guarded() does when `step` asked to exit, or threw something else.
void fail_as_asked(Process& process, ExitReason reason);
void fail_by_exception(Process& process, std::exception_ptr const& exception, std::string const& origin);
/// With has_unanswered: the exceptions that passed by them were caught, so these are calls whose handler
/// dropped its Deferred.
void let_unanswered_go(Process& process) noexcept;

/// Runs `step`; what it throws ends the process.
template<typename Step>
void guarded(Process& process, std::string const& (*origin)(), Step&& step) noexcept {
    try {
        std::forward<Step>(step)();
        if (process.has(Process::has_unanswered)) [[unlikely]] {
            let_unanswered_go(process);
        }
    } catch (ExitRequest& request) {
        fail_as_asked(process, std::move(request.reason));
    } catch (...) {
        fail_by_exception(process, std::current_exception(), origin());
    }
}

} // namespace sinew::detail
