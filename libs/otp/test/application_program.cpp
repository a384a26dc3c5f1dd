// The program that application_test.cpp runs: one server, told by its configuration how to behave.
#include <sinew/otp.hpp>

#include <boost/describe/class.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

struct Settings {
    bool fails_to_start = false;
    bool crashes = false;
    /// See end_program().
    std::string ends_by = {};
    /// A handler never returns.
    bool gets_stuck = false;
    bool writes_to_nobody = false;
    std::chrono::milliseconds stop_limit = std::chrono::hours(1);
};
BOOST_DESCRIBE_STRUCT(Settings, (),
                      (fails_to_start, crashes, ends_by, gets_stuck, writes_to_nobody, stop_limit))

namespace {

struct Tick {};

// What the compiler may not see through, and its sanitizers shall not stop.
int volatile* volatile g_nowhere = nullptr;
int volatile g_zero = 0;
using Function = void (*)();
Function volatile g_no_function = nullptr;

__attribute__((no_sanitize("undefined"))) void write_nowhere() {
    *g_nowhere = 1;
}

__attribute__((no_sanitize("undefined"))) void call_nothing() {
    g_no_function();
    g_zero = 1; // So that it is no jump.
}

int use_stack_up(int depth) { // NOLINT(misc-no-recursion): that is what it is for
    std::array<int volatile, 256> kept{};
    kept[0] = depth;
    return kept[0] + (depth < 1'000'000'000 ? use_stack_up(depth + 1) : 0) + kept[1];
}

void fail() {
    throw std::runtime_error("nobody is there");
}

void throw_through_noexcept() noexcept {
    fail();
}

/// Ends the program in a way that C++ can't contain.
void end_program(std::string const& how) {
    if (how == "null") {
        write_nowhere();
    } else if (how == "stack") {
        g_zero = use_stack_up(0);
    } else if (how == "abort") {
        std::abort();
    } else if (how == "terminate") {
        throw_through_noexcept();
    } else if (how == "call") {
        call_nothing();
    } else if (how == "exit") {
        std::exit(7); // NOLINT(concurrency-mt-unsafe): that is what it is for
    } else if (how == "stack of the pool") {
        sinew::blocking([] { g_zero = use_stack_up(0); }).then([](sinew::Result<> const& /*never*/) {});
    }
}

void write_to_nobody() {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0) {
        close(ends[0]);
        bool const is_refused = write(ends[1], "x", 1) < 0 && errno == EPIPE;
        sinew::log::info(is_refused ? "nobody reads" : "somebody reads?");
    }
}

class Lamp : public sinew::Server<Lamp> {
public:
    using Options = Settings;
    explicit Lamp(Options options)
        : m_options(std::move(options)) {}
    sinew::Result<> init() {
        sinew::set_trap_exit(true);
        if (m_options.fails_to_start) {
            return sinew::failure(sinew::ErrorCode::not_found, "there is no lamp");
        }
        if (m_options.writes_to_nobody) {
            write_to_nobody();
        }
        if (m_options.crashes || m_options.gets_stuck || !m_options.ends_by.empty()) {
            send_after(std::chrono::milliseconds(1), Tick{});
        }
        return {};
    }
    void handle_info(Tick /*message*/) {
        end_program(m_options.ends_by);
        if (m_options.crashes) {
            throw std::runtime_error("bulb burnt out");
        }
        if (m_options.gets_stuck) {
            sinew::log::info("stuck from now on");
            for (;;) {
                ::pause();
            }
        }
    }
    void terminate(sinew::ExitReason const& reason) { sinew::log::info("lamp off: " + reason.to_string()); }

private:
    Options m_options;
};

class Fan : public sinew::Server<Fan> {
public:
    void init() { sinew::set_trap_exit(true); }
    void terminate(sinew::ExitReason const& reason) { sinew::log::info("fan off: " + reason.to_string()); }
};

class LampApplication : public sinew::Application {
    sinew::Supervisor start(sinew::Config const& config) override {
        return sinew::supervise(
            sinew::Strategy::one_for_one,
            {sinew::child<Fan>(),
             sinew::child<Lamp>(config.section<Settings>("lamp"),
                                {.shutdown = sinew::Shutdown::after(std::chrono::milliseconds(1))})});
    }
    void prepare_stop() override { sinew::log::info("about to stop"); }
    void stop() override { sinew::log::info("stopped"); }
    sinew::Duration stop_limit(sinew::Config const& config) const override {
        return config.section<Settings>("lamp").stop_limit;
    }
};

} // namespace

SINEW_APPLICATION(LampApplication);
