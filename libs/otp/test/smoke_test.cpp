#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>
using namespace std::chrono_literals;
using sinew::testing::Simulation;
namespace {
struct Tick {};
struct Count {
    using Reply = int;
};
struct Double {
    using Reply = int;
};
struct Crash {};
class Counter : public sinew::Server<Counter> {
public:
    struct Options {
        std::chrono::milliseconds interval = 500ms;
    };
    explicit Counter(Options options)
        : m_options(options) {}
    void init() { send_after(m_options.interval, Tick{}); }
    void handle_info(Tick) {
        ++m_count;
        send_after(m_options.interval, Tick{});
    }
    int handle_call(Count) { return m_count; }
    void handle_cast(Crash) { throw std::runtime_error("boom"); }

private:
    Options m_options;
    int m_count = 0;
};
class Asker : public sinew::Server<Asker> {
public:
    sinew::Async<int> handle_call(Double) {
        auto count = co_await sinew::request(sinew::name<Counter>, Count{});
        co_return *count * 2;
    }
};
} // namespace
TEST(Smoke, calls_and_timers) {
    Simulation sim(1);
    auto tree = sim.node().start(
        sinew::supervise(sinew::Strategy::one_for_one, {sinew::child<Counter>({}), sinew::child<Asker>()}));
    ASSERT_TRUE(tree) << tree.error().message();
    sim.advance(5s);
    EXPECT_EQ(sinew::call(sinew::name<Counter>, Count{}).value(), 10);
    EXPECT_EQ(sinew::call(sinew::name<Asker>, Double{}).value(), 20);
    sinew::cast(sinew::name<Counter>, Crash{});
    sim.run_until_settled();
    EXPECT_EQ(sinew::call(sinew::name<Counter>, Count{}).value(), 0);
    for (auto& l : sim.log_lines()) {
        puts(l.c_str());
    }
    EXPECT_EQ(sim.node().process_count(), 3u);
    EXPECT_TRUE(sinew::stop_and_wait(*tree, sinew::ExitReason::shutdown()));
    EXPECT_EQ(sim.node().process_count(), 0u);
}
TEST(Smoke, real) {
    sinew::Node node({.workers = 2});
    auto tree = node.start(sinew::supervise(
        sinew::Strategy::one_for_one, {sinew::child<Counter>({.interval = 1ms}), sinew::child<Asker>()}));
    ASSERT_TRUE(tree) << tree.error().message();
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(sinew::call(sinew::name<Asker>, Double{}));
    }
    EXPECT_TRUE(sinew::stop_and_wait(*tree, sinew::ExitReason::shutdown()));
}
