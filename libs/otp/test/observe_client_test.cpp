// Clients of an observe socket that say all at once, leave early, or come when there is no room. Under
// virtual time: what a client sends is there before the server looks.
#include "core/node_core.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/unix_socket.hpp>
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::observe {

struct MeterState {
    int value = 3;
};
BOOST_DESCRIBE_STRUCT(MeterState, (), (value))

namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view ask_state = R"({"operation":"state","process":"meter"})";
constexpr std::string_view state_answer = R"({"ok":{"value":3}})";
constexpr std::string_view ask_trace = R"({"operation":"trace","process":"meter","limit":3,"wait_ms":100})";

struct Drip {};
class Meter : public sinew::Server<Meter> {
public:
    void init() { set_mailbox_limit({.length = 2}); }
    MeterState const& state() const { return m_state; }
    void handle_info(Drip /*drip*/) {}

private:
    MeterState m_state;
};

class ObserveClients : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(
            simulation.node().start(supervise(Strategy::one_for_one, {child_with<Meter>({.id = "meter"})})));
        server = simulation.node().start<Server>({}, ServerOptions{.path = path}).value();
        simulation.run_until_settled();
        client = connect_to_unix_socket(path).value();
    }
    void write(std::string_view text) {
        ASSERT_EQ(::write(client.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    /// What the client got, a line each; "end" when the server has closed the connection.
    std::vector<std::string> answers() {
        simulation.advance(1s);
        std::string received;
        std::array<char, 4096> bytes{};
        ssize_t count = 0;
        while ((count = ::recv(client.get(), bytes.data(), bytes.size(), MSG_DONTWAIT)) > 0) {
            received.append(bytes.data(), static_cast<std::size_t>(count));
        }
        received += count == 0 ? "end\n" : "";
        std::vector<std::string> lines;
        for (; !received.empty(); received.erase(0, lines.back().size() + 1)) {
            lines.push_back(received.substr(0, received.find('\n')));
        }
        return lines;
    }
    [[nodiscard]] bool is_accounting() { return simulation.node().core().is_timing; }

    TemporaryDirectory directory = TemporaryDirectory::create().value();
    std::filesystem::path path = directory.path() / "sockets" / "meter.1.sock";
    testing::Simulation simulation;
    ServerRef<Server> server;
    FileDescriptor client;
};

TEST_F(ObserveClients, that_say_no_more_get_their_answers) {
    write(std::string(ask_state) + "\n" + std::string(ask_state) + "\n");
    ASSERT_EQ(::shutdown(client.get(), SHUT_WR), 0);
    EXPECT_THAT(answers(), ElementsAre(state_answer, state_answer, "end"));
}

TEST_F(ObserveClients, may_leave_out_the_last_line_feed) {
    write(ask_state);
    ASSERT_EQ(::shutdown(client.get(), SHUT_WR), 0);
    EXPECT_THAT(answers(), ElementsAre(state_answer, "end"));
}

TEST_F(ObserveClients, that_say_no_more_get_a_trace_too) {
    write(std::string(ask_trace) + "\n");
    ASSERT_EQ(::shutdown(client.get(), SHUT_WR), 0);
    EXPECT_THAT(answers(), ElementsAre(R"({"ok":[]})", "end"));
}

TEST_F(ObserveClients, get_the_answers_behind_a_trace_without_asking_again) {
    write(std::string(ask_trace) + "\n" + std::string(ask_state) + "\n" + std::string(ask_trace) + "\n" +
          std::string(ask_state) + "\n");
    EXPECT_THAT(answers(), ElementsAre(R"({"ok":[]})", state_answer, R"({"ok":[]})", state_answer));
}

TEST_F(ObserveClients, that_send_without_end_during_a_trace_are_read_up_to_the_limit) {
    write(std::string(ask_trace) + "\n");
    simulation.run_until_settled();
    std::string const much(8192, ' ');
    for (int part = 0; part < 12; ++part) {
        write(much);
        simulation.run_until_settled(1000);
    }
    EXPECT_THAT(answers().front(), R"({"ok":[]})");
}

TEST_F(ObserveClients, that_leave_during_a_trace_end_it) {
    std::size_t const before = simulation.node().process_count();
    write(R"({"operation":"trace","process":"meter","wait_ms":60000})"
          "\n");
    simulation.advance(1s);
    EXPECT_EQ(simulation.node().process_count(), before + 1);
    client.close();
    simulation.advance(1s);
    EXPECT_EQ(simulation.node().process_count(), before);
}

TEST_F(ObserveClients, that_leave_during_a_trace_leave_nothing_on_in_the_traced_process) {
    write(R"({"operation":"trace","process":"meter","wait_ms":60000})"
          "\n");
    simulation.advance(1s);
    detail::Process const& meter = *simulation.node().core().find(whereis(name<Meter>("meter")).pid());
    EXPECT_TRUE(meter.has(detail::Process::is_inspected));
    client.close();
    simulation.advance(1s);
    send(name<Meter>("meter"), Drip{});
    simulation.run_until_settled();
    EXPECT_FALSE(meter.has(detail::Process::is_inspected));
}

TEST_F(ObserveClients, are_left_alone_when_the_server_ends_however_it_does) {
    simulation.run_until_settled();
    ASSERT_TRUE(is_accounting());
    ASSERT_TRUE(stop_and_wait(server));
    EXPECT_THAT(answers(), ElementsAre("end"));
    EXPECT_FALSE(is_accounting());
    EXPECT_EQ(simulation.node().process_count(), 2U) << "the meter and its supervisor";
}

TEST_F(ObserveClients, without_a_descriptor_for_them_wait_and_nobody_turns_round_meanwhile) {
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    int const next = ::dup(client.get());
    ::close(next);
    // The undefined sanitizer looks at each class it meets for the first time, and needs descriptors for
    // that.
    log::notice("descriptors run out");
    rlimit const none_left{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    EXPECT_NO_THROW(simulation.run_until_settled(1000));
    simulation.advance(10s);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE(simulation.has_logged("can't be observed for now: "));
    write(std::string(ask_state) + "\n");
    EXPECT_THAT(answers(), ElementsAre(state_answer));
}

TEST_F(ObserveClients, have_time_counted_while_they_are_there) {
    simulation.run_until_settled();
    EXPECT_TRUE(is_accounting());
    client.close();
    simulation.run_until_settled();
    EXPECT_FALSE(is_accounting());
}

TEST_F(ObserveClients, leave_an_application_the_times_it_counts_itself) {
    simulation.node().account_time(Node::Accounting::on);
    simulation.run_until_settled();
    client.close();
    simulation.run_until_settled();
    EXPECT_TRUE(is_accounting());
}

TEST_F(ObserveClients, see_memory_drops_and_what_is_handled) {
    for (int drops = 0; drops < 5; ++drops) {
        send(name<Meter>("meter"), Drip{});
    }
    write(R"({"operation":"snapshot"})"
          "\n");
    std::string const snapshot = answers().front();
    auto const row = snapshot.substr(snapshot.find(R"("name":"meter")"));
    EXPECT_THAT(row,
                AllOf(HasSubstr(R"("messages_dropped":3,"memory_bytes":)"), HasSubstr(R"("handling":"")")));
}

TEST(ObservedTree, tells_drops_and_in_which_message_a_process_is_stuck) {
    Snapshot snapshot;
    snapshot.processes.push_back({.pid = "<1.1>",
                                  .parent = {},
                                  .label = "Led",
                                  .name = {},
                                  .state = "no answer",
                                  .messages_dropped = 4,
                                  .handling = "Blink"});
    EXPECT_EQ(tree_text(snapshot), "Led <1.1> no answer  mailbox 0, handled 0, dropped 4  in Blink\n");
}

} // namespace
} // namespace sinew::observe
