#include "crash/alternate_stack.hpp"
#include "crash/description.hpp"
#include "crash/frames.hpp"
#include "crash/line.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/program_crash_reports.hpp>

#include <cxxabi.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <expected>
#include <span>
#include <string_view>
#include <typeinfo>

namespace sinew {

using crash::Line;

namespace {

constexpr std::array fatal_signals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
/// The unwinder may wait for a lock, and a write for a reader.
constexpr unsigned longest_report_s = 5;
/// For the kernel's log: facility user, level error.
constexpr std::string_view kernel_priority = "<11>";

// A signal handler has no object to ask.
constinit std::array<char, 32> s_program{};
constinit int s_kernel_log = -1;
constinit std::atomic<pid_t> s_reporter{0};
constinit std::atomic<bool> s_is_running{false};
constinit thread_local Line t_uncaught;

void copy_name(std::string_view from, std::span<char> to) noexcept {
    std::size_t const length = std::min(from.size(), to.size() - 1);
    std::ranges::copy(from.substr(0, length), to.begin());
    to[length] = '\0';
}

/// A line of the report. One write each: neither the kernel's log nor other threads' lines come between.
void tell(Line const& text) noexcept {
    Line line;
    line.add(kernel_priority).add(s_program.data()).add(": ").add(text.text()).add("\n");
    if (s_kernel_log >= 0) {
        (void)!write(s_kernel_log, line.text().data(), line.text().size());
    }
    std::string_view const plain = line.text().substr(kernel_priority.size());
    (void)!write(STDERR_FILENO, plain.data(), plain.size());
}

void tell_frame(std::uintptr_t address) noexcept {
    Line line;
    line.add("    ");
    crash::add_place(line, address, program_invocation_short_name);
    tell(line);
}

void tell_crash(siginfo_t const& info, ucontext_t* context) noexcept {
    Line line;
    line.add("crashed: ");
    crash::add_signal(line, info, *context);
    crash::add_whereabouts(line);
    if (!t_uncaught.text().empty()) {
        line.add(": ").add(t_uncaught.text());
    }
    tell(line);
    crash::walk_frames(context, &tell_frame);
}

/// Ends the program when it can't report in time.
void limit_time() noexcept {
    sigset_t alarm_only;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    (void)std::signal(SIGALRM, SIG_DFL);
    (void)pthread_sigmask(SIG_UNBLOCK, &alarm_only, nullptr);
    (void)alarm(longest_report_s);
}

/// Only one thread reports; another one that crashes meanwhile waits for the end.
bool begin_report() noexcept {
    pid_t expected = 0;
    auto const own = static_cast<pid_t>(syscall(SYS_gettid));
    if (s_reporter.compare_exchange_strong(expected, own)) {
        limit_time();
        return true;
    }
    while (expected != own) {
        (void)::pause();
    }
    return false; // The report itself has failed.
}

void on_fatal_signal(int signal, siginfo_t* info, void* context) {
    if (begin_report()) {
        tell_crash(*info, static_cast<ucontext_t*>(context));
    }
    // The default action, as of SA_RESETHAND; with the same details, for the core file. It is blocked until this
    // returns.
    if (syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), signal, info) != 0) {
        (void)raise(signal);
    }
}

[[noreturn]] void on_terminate() {
    std::type_info const* const type = abi::__cxa_current_exception_type();
    t_uncaught.clear();
    if (type != nullptr) {
        t_uncaught.add("nothing caught ").add_type(type->name());
        try {
            throw;
        } catch (std::bad_expected_access<Error> const& access) {
            t_uncaught.add(": ").add(access.error().message());
        } catch (std::exception const& error) {
            t_uncaught.add(": ").add(error.what());
        } catch (...) {
            t_uncaught.add(", which is not a std::exception");
        }
    } else {
        t_uncaught.add("std::terminate() was called");
    }
    std::abort();
}

void on_exit_called(int status, void* /*unused*/) {
    if (!s_is_running.exchange(false)) {
        return;
    }
    Line line;
    line.add("exit() was called with status ").add_number(static_cast<unsigned>(status) & 0xffU);
    line.add(" while the application was running");
    crash::add_whereabouts(line);
    tell(line);
    crash::walk_frames(nullptr, &tell_frame);
}

void handle_where_nobody_does(int signal) noexcept {
    struct sigaction present{};
    if (sigaction(signal, nullptr, &present) != 0 || present.sa_handler != SIG_DFL) {
        return;
    }
    struct sigaction ours{};
    ours.sa_sigaction = &on_fatal_signal;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND);
    sigemptyset(&ours.sa_mask);
    (void)sigaction(signal, &ours, nullptr);
}

} // namespace

ProgramCrashReports::ProgramCrashReports(std::string_view program, CrashLog log) {
    copy_name(program, s_program);
    if (log == CrashLog::kernel_log && s_kernel_log < 0) {
        // Open to the end: a crash may come after this object.
        s_kernel_log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
    }
    crash::prepare_to_walk();
    crash::AlternateStack::enable();
    static crash::AlternateStack const main_stack;
    for (int const signal : fatal_signals) {
        handle_where_nobody_does(signal);
    }
    if (std::get_terminate() == &__gnu_cxx::__verbose_terminate_handler) {
        std::set_terminate(&on_terminate);
    }
    static int const registered = on_exit(&on_exit_called, nullptr);
    s_is_running.store(registered == 0);
}

ProgramCrashReports::~ProgramCrashReports() {
    s_is_running.store(false);
}

} // namespace sinew
