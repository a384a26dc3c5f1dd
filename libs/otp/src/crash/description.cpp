#include "crash/description.hpp"

#include "core/context.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "crash/frames.hpp"

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/envelope.hpp>

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <string_view>

namespace sinew::crash {
namespace {

struct SignalName {
    int number;
    std::string_view name;
};
constexpr std::array names{SignalName{SIGSEGV, "SIGSEGV"}, SignalName{SIGBUS, "SIGBUS"},
                           SignalName{SIGILL, "SIGILL"},   SignalName{SIGFPE, "SIGFPE"},
                           SignalName{SIGABRT, "SIGABRT"}, SignalName{SIGTRAP, "SIGTRAP"},
                           SignalName{SIGSYS, "SIGSYS"}};

/// A fault beside the stack pointer is one of the stack itself. Frames are seldom larger than that.
bool is_stack_used_up(std::uintptr_t fault, std::uintptr_t stack_pointer) noexcept {
    constexpr std::uintptr_t below = 65'536;
    constexpr std::uintptr_t above = 1'048'576;
    return stack_pointer != 0 && fault + below >= stack_pointer && fault < stack_pointer + above;
}

std::string_view cause_of(siginfo_t const& info, ucontext_t const& context) noexcept {
    auto const fault = reinterpret_cast<std::uintptr_t>(info.si_addr);
    switch (info.si_signo) {
    case SIGSEGV:
        return is_stack_used_up(fault, stack_pointer_of(context)) ? "the stack is used up"
               : info.si_code == SEGV_MAPERR                      ? "nothing is there"
               : info.si_code == SEGV_ACCERR                      ? "that may not be used so"
                                                                  : "no valid address";
    case SIGBUS:
        return info.si_code == BUS_ADRALN ? "not aligned" : "its memory or file is gone";
    case SIGFPE:
        return info.si_code == FPE_INTDIV ? "division by zero" : "arithmetic";
    case SIGILL:
        return "no valid instruction";
    default:
        return {};
    }
}

} // namespace

void add_signal(Line& line, siginfo_t const& info, ucontext_t const& context) noexcept {
    auto const known = std::ranges::find(names, info.si_signo, &SignalName::number);
    if (known != names.end()) {
        line.add(known->name);
    } else {
        line.add("signal ").add_number(static_cast<std::uint64_t>(info.si_signo));
    }
    if (info.si_code <= 0) {
        if (info.si_pid != getpid()) {
            line.add(" sent by OS process ").add_number(static_cast<std::uint64_t>(info.si_pid));
        }
        return;
    }
    std::string_view const cause = cause_of(info, context);
    if (!cause.empty()) {
        line.add(" at address ").add_hexadecimal(reinterpret_cast<std::uintptr_t>(info.si_addr));
        line.add(" (").add(cause).add(")");
    }
}

void add_whereabouts(Line& line) noexcept {
    detail::Process const* const process = detail::t_context.process;
    if (process != nullptr) {
        detail::Behaviour const* const behaviour = process->behaviour;
        line.add(", in ").add_type(behaviour != nullptr ? behaviour->type->name() : "a process");
        detail::Extras const* const extras = process->extras;
        if (extras != nullptr && !extras->names.empty()) {
            line.add(" \"").add(extras->names.front()).add("\"");
        }
        Pid const pid = process->pid();
        line.add(" <").add_number(pid.index()).add(".").add_number(pid.generation()).add(">");
        detail::Worker const* const worker = detail::t_context.worker;
        detail::MessageOps const* const handling = worker != nullptr ? worker->handling.get() : nullptr;
        if (handling != nullptr && handling->type != nullptr) {
            line.add(" handling ").add_type(handling->type->name());
        }
    }
    line.add(", thread ").add_number(static_cast<std::uint64_t>(syscall(SYS_gettid)));
}

} // namespace sinew::crash
