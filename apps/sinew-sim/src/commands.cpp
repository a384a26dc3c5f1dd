// See commands.hpp.
#include "commands.hpp"

#include "client.hpp"
#include "pins.hpp"
#include "protocol.hpp"
#include "simulator.hpp"
#include "uhid.hpp"
#include "virtual_board.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>

#include <poll.h>
#include <sched.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sinew::sim {

namespace {

Result<std::map<std::string, std::size_t>> parse_names(std::vector<std::string> const& texts) {
    std::map<std::string, std::size_t> names;
    for (std::string const& text : texts) {
        std::size_t const equals = text.rfind('=');
        std::string_view const digits =
            equals == std::string::npos ? "" : std::string_view(text).substr(equals + 1);
        auto const line = parse_uint64(digits, Pins::count - 1);
        if (!line || equals == 0) {
            return failure(ErrorCode::invalid_argument,
                           "--name " + text + ": write NAME=LINE, with LINE from 0 to 7");
        }
        names[text.substr(0, equals)] = *line;
    }
    return names;
}

/// The kernel's driver waits for each answer, in part with others waiting for it. Without the right to go
/// first, it goes as everybody.
void go_before_others() {
    sched_param const parameter{.sched_priority = 1};
    (void)::sched_setscheduler(0, SCHED_FIFO, &parameter);
}

/// The signal that is there.
int take_signal(FileDescriptor const& descriptor) {
    signalfd_siginfo signal{};
    return ::read(descriptor.get(), &signal, sizeof signal) == sizeof signal
               ? static_cast<int>(signal.ssi_signo)
               : 0;
}

/// A descriptor that becomes readable on SIGTERM and SIGINT, which no longer end the program.
Result<FileDescriptor> stop_signals() {
    sigset_t signals{};
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGTERM);
    ::sigaddset(&signals, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    FileDescriptor descriptor(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!descriptor) {
        return std::unexpected(error_from_errno(errno, "can't wait for signals"));
    }
    return descriptor;
}

bool is_readable(FileDescriptor const& descriptor) {
    pollfd waiting{.fd = descriptor.get(), .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, 0) > 0;
}

std::string text_of(LineState const& line) {
    std::string text = std::to_string(line.line) + " " +
                       (line.direction == LineDirection::output ? "output" : "input ") + " " +
                       std::to_string(line.value);
    text += line.driven ? " set" : "";
    return line.name.empty() ? text : text + " " + line.name;
}

void print(std::string const& text) {
    std::fputs((text + "\n").c_str(), stdout);
    // A watcher's output is read while it runs.
    std::fflush(stdout);
}

void print(Reply const& reply, Verb command) {
    for (LineState const& line : reply.lines) {
        print(command == Verb::list ? text_of(line) : std::to_string(line.value));
    }
    if (reply.celsius) {
        print(command == Verb::list ? "temperature " + std::to_string(*reply.celsius)
                                    : std::to_string(*reply.celsius));
    }
}

std::string text_of(LevelEvent const& event) {
    constexpr std::int64_t ns_a_second = 1'000'000'000;
    std::string const fraction = std::to_string(ns_a_second + (event.time_ns % ns_a_second)).substr(1);
    std::string const text = std::to_string(event.time_ns / ns_a_second) + "." + fraction + " " +
                             std::to_string(event.line) + " " + std::to_string(event.value);
    return event.missed == 0 ? text : text + " (missed " + std::to_string(event.missed) + " before)";
}

// SIGTERM comes when a device shuts down, to everyone at once. The driver of Linux 6.1 does not survive it
// when its chip goes away while a program closes a line whose edges it watches: free_irq() waits, holding a
// spin lock, for a poll of the lines that is under way.
Result<> serve_last_users(Simulator& simulator, FileDescriptor const& stop) {
    constexpr std::chrono::milliseconds silence(250);
    constexpr std::chrono::seconds longest(3);
    SystemClock const clock;
    MonotonicTime const deadline = clock.now() + longest;
    while (simulator.was_asked_within(silence) && clock.now() < deadline && !is_readable(stop)) {
        TRY_OK(simulator.step(silence, stop.get()));
    }
    return {};
}

} // namespace

Result<> serve(ServeOptions const& options) {
    TRY(auto names, parse_names(options.names));
    TRY(auto stop, stop_signals());
    TRY(auto uhid, open_uhid(options.device));
    go_before_others();
    SystemClock const clock;
    TRY(auto simulator, Simulator::create(std::move(uhid),
                                          {.socket_path = options.socket_path,
                                           .board = {.wiring = options.pairs ? Wiring::pairs : Wiring::none,
                                                     .names = std::move(names)}},
                                          clock));
    MonotonicTime const deadline = clock.now() + options.ready_timeout;
    while (!simulator->is_ready()) {
        if (is_readable(stop)) {
            return {};
        }
        if (clock.now() >= deadline) {
            return failure(ErrorCode::timed_out,
                           "no driver of the kernel took the simulated chip; run: modprobe hid-cp2112");
        }
        TRY_OK(simulator->step(std::chrono::milliseconds(100), stop.get()));
    }
    print("sinew-sim: gpiochip cp2112_gpio is there; control socket " + options.socket_path.string());
    while (!is_readable(stop)) {
        TRY_OK(simulator->step(std::chrono::hours(1), stop.get()));
    }
    return take_signal(stop) == SIGTERM ? serve_last_users(*simulator, stop) : Result<>();
}

Result<> ask(AskOptions const& options, Request const& request) {
    TRY(auto client, Client::connect(options.socket_path));
    TRY(auto reply, client.ask(request, options.timeout));
    if (options.format == OutputFormat::json) {
        print(to_json(reply));
    } else if (request.command == Verb::get || request.command == Verb::list ||
               request.command == Verb::temperature) {
        print(reply, request.command);
    }
    return {};
}

Result<> watch(AskOptions const& options, Request const& request, std::optional<std::uint64_t> count,
               std::optional<std::chrono::milliseconds> change_timeout) {
    TRY(auto client, Client::connect(options.socket_path));
    TRY_OK(client.ask(request, options.timeout));
    for (std::uint64_t seen = 0; !count || seen < *count; ++seen) {
        TRY(auto event, client.next_event(change_timeout));
        print(options.format == OutputFormat::json ? to_json(event) : text_of(event));
    }
    return {};
}

} // namespace sinew::sim
