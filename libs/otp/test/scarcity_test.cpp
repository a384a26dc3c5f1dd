// Out of memory, out of descriptors: the process that asked for more dies, and the node lives.
#include "simulation/allocation_faults.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;

struct Tick {};
struct Echo {
    using Reply = std::string;
    std::string text;
};
class Other : public Server<Other> {
public:
    void init() { set_trap_exit(true); }
    std::string handle_call(Echo echo) { return std::move(echo.text); }
    void handle_info(Tick /*tick*/) {}
    void handle_info(Exit const& /*exit*/) {}
    void handle_info(Down const& /*down*/) {}
};

/// Does one of everything that needs memory, in one handler.
struct DoAll {};
class Everything : public Server<Everything> {
public:
    struct Options {
        ServerRef<Other> other;
    };
    explicit Everything(Options options)
        : m_other(options.other) {}
    void init() { set_trap_exit(true); }
    void handle_info(DoAll /*message*/) {
        set_label("a label that does not fit into a short string");
        send_after(1h, Tick{});
        send(m_other, Tick{});
        link(m_other);
        monitor(m_other);
        auto const child = spawn_link<Other>();
        send(child, Tick{});
        spawn([child] { send(child, Tick{}); });
        request(m_other, Echo{"a text that does not fit into a short string"})
            .then([this](Result<std::string> const& answer) { m_answers += answer ? 1 : 0; });
        process_local<std::string>() = "another text that does not fit into a short string";
        set_idle_timeout(1h);
    }
    void handle_info(Tick /*tick*/) {}
    void handle_info(IdleTimeout /*timeout*/) {}
    void handle_info(Exit const& /*exit*/) {}
    void handle_info(Down const& /*down*/) {}

private:
    ServerRef<Other> m_other;
    int m_answers = 0;
};

Pid find() {
    return detail::resolve(name<Everything>);
}

/// Whether the `allocation`-th one was needed at all.
bool survives_failure_of(std::size_t allocation) {
    Simulation simulation{allocation};
    auto const other = simulation.node().start<Other>().value();
    simulation.faults().fail_allocation<Everything>(allocation, {.at = 1});
    auto const tree =
        simulation.node().start(supervise(Strategy::one_for_one, {child<Everything>({other})})).value();
    Pid const before = find();
    send(name<Everything>, DoAll{});
    simulation.run_until_settled();
    bool const has_failed = simulation.has_logged("bad_alloc");
    EXPECT_TRUE(find()) << "it was restarted";
    EXPECT_EQ(find() == before, !has_failed);
    EXPECT_EQ(call(other, Echo{"alive"}), "alive");
    send(name<Everything>, DoAll{}); // Again, with memory.
    simulation.run_until_settled();
    EXPECT_TRUE(stop_and_wait(tree.pid(), ExitReason::shutdown()));
    simulation.advance(2h);
    EXPECT_TRUE(stop_and_wait(other));
    EXPECT_EQ(simulation.node().process_count(), 0U) << "nobody is left over";
    return has_failed;
}

TEST(OutOfMemory, at_any_allocation_of_a_handler_ends_that_process_only) {
    std::size_t allocation = 1;
    while (survives_failure_of(allocation) && !HasFailure()) {
        ++allocation;
    }
    EXPECT_GT(allocation, 8U) << "the handler needs memory many times";
}

/// Logs with a name and ancestors, while the `allocation`-th operator new of it fails.
struct Talk {
    using Reply = void;
    std::size_t allocation = 0;
};
class Talker : public Server<Talker> {
public:
    void handle_call(Talk talk) {
        constexpr std::string_view text = "a text that does not fit into a short string";
        detail::arm_allocation_failure(talk.allocation);
        log::info(text);
        log::report(log::Level::error, text, {});
        detail::arm_allocation_failure(0);
    }
};

TEST(OutOfMemory, while_something_is_logged_costs_the_event_only) {
    Simulation simulation;
    ASSERT_TRUE(simulation.node().start(supervise(
        Strategy::one_for_one, {child_with<Talker>({.id = "a name of more than fifteen letters"})})));
    auto const talker = whereis(name<Talker>("a name of more than fifteen letters"));
    for (std::size_t allocation = 1; allocation < 40; ++allocation) {
        EXPECT_TRUE(call(talker, Talk{allocation})) << allocation;
        ASSERT_TRUE(is_alive(talker)) << allocation;
    }
}

/// Takes descriptors until there are none.
struct Take {};
class Taker : public Server<Taker> {
public:
    void handle_info(Take /*message*/) {
        for (;;) {
            FileDescriptor event(eventfd(0, EFD_CLOEXEC));
            if (!event) {
                m_events.resize(m_events.size() - 8); // A sanitizer needs some to look at what is thrown.
                throw std::system_error(errno, std::system_category(), "eventfd");
            }
            m_events.push_back(std::move(event));
        }
    }

private:
    std::vector<FileDescriptor> m_events;
};

TEST(OutOfDescriptors, ends_the_process_that_takes_them_and_gives_them_back) {
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    LineSink log;
    Node node{NodeOptions{.workers = 2, .log = &log}};
    auto const other = node.start<Other>().value();
    auto const taker = node.start<Taker>().value();
    rlimit const few{.rlim_cur = 200, .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    send(taker, Take{});
    while (is_alive(taker)) {
        std::this_thread::yield();
    }
    EXPECT_EQ(call(other, Echo{"alive"}), "alive");
    EXPECT_THAT(log.text(), ::testing::HasSubstr("Too many open files"));
    int const event = eventfd(0, EFD_CLOEXEC);
    EXPECT_GE(event, 0) << "they are free again";
    close(event);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(call(other, Echo{"alive"}), "alive");
}

} // namespace
} // namespace sinew::testing
