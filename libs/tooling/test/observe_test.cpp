// `sinew observe` and `sinew top` against an application in this program.
#include "tool_fixture.hpp"

#include <sinew/base/describe.hpp>
#include <sinew/otp.hpp>
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/live_view.hpp>
#include <sinew/tooling/observe.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sinew::tooling {

struct ValveState {
    int turns = 0;
};
BOOST_DESCRIBE_STRUCT(ValveState, (), (turns))

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Valve : public Server<Valve> {
public:
    struct Options {
        int turns = 0;
    };
    explicit Valve(Options options)
        : m_state{options.turns} {}
    ValveState& state() { return m_state; }

private:
    ValveState m_state;
};

class ObserveCommand : public ToolFixture {
protected:
    void SetUp() override {
        ASSERT_TRUE(node.start<observe::Server>(
            {}, observe::ServerOptions{
                    .path = socket, .application = "garden", .version = "1.2", .logger = &logger}));
        ASSERT_TRUE(
            node.start(supervise(Strategy::one_for_one, {child<Valve>({.turns = 3}, {.id = "valve"})})));
    }
    /// Sets options of the command as the parser would, and runs it.
    Result<int> run(Command const& command,
                    std::vector<std::pair<std::string, std::string>> const& settings) {
        for (auto const& [name, value] : settings) {
            auto const option = std::ranges::find_if(command.options, [&name](Argument const& argument) {
                return argument.names.starts_with(name);
            });
            EXPECT_NE(option, command.options.end()) << name;
            if (auto* const* text = std::get_if<std::string*>(&option->target)) {
                **text = value;
            } else if (auto* const* flag = std::get_if<bool*>(&option->target)) {
                **flag = true;
            } else if (auto* const* number = std::get_if<std::int64_t*>(&option->target)) {
                **number = std::stoll(value);
            }
        }
        return command.run(context());
    }

    std::filesystem::path socket = folder() / "sockets" / "garden.77.sock";
    log::Logger logger{{.fallback = nullptr}};
    Node node{{.workers = 1, .log = &logger}};
};

TEST_F(ObserveCommand, prints_the_tree_once_where_there_is_no_terminal) {
    ASSERT_TRUE(run(observe_command(), {{"--socket", socket}}));
    EXPECT_THAT(said(), AllOf(HasSubstr("garden 1.2"), HasSubstr("└─ "), HasSubstr("Valve \"valve\"")));
}

TEST_F(ObserveCommand, draws_a_graph) {
    ASSERT_TRUE(run(observe_command(), {{"--socket", socket}, {"--format", "dot"}}));
    EXPECT_THAT(said(), AllOf(HasSubstr("digraph \"garden\""), HasSubstr(" -> ")));
}

TEST_F(ObserveCommand, prints_a_state_the_log_and_its_levels) {
    log::notice("dry");
    ASSERT_TRUE(run(observe_command(), {{"--socket", socket}, {"--state", "valve"}}));
    ASSERT_TRUE(run(observe_command(), {{"--socket", socket}, {"--log", "dry"}}));
    ASSERT_TRUE(run(observe_command(), {{"--socket", socket}, {"--log-levels", "error"}}));
    EXPECT_THAT(said(), AllOf(HasSubstr("\"turns\": 3"), HasSubstr("[notice] dry"), HasSubstr("\"error\"")));
}

TEST_F(ObserveCommand, says_what_the_application_refuses) {
    auto const result = run(observe_command(), {{"--socket", socket}, {"--state", "attic"}});
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("there is no process 'attic'"));
}

TEST_F(ObserveCommand, top_prints_a_table) {
    ASSERT_TRUE(run(top_command(), {{"--socket", socket}, {"--interval", "50"}}));
    EXPECT_THAT(said(), AllOf(HasSubstr("messages/s"), HasSubstr("Valve \"valve\"")));
}

TEST_F(ObserveCommand, refuses_what_could_be_a_shell_command) {
    auto const result = run(observe_command(), {{"--device", "localhost"}, {"--socket", "/run/x; reboot"}});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::invalid_argument);
    EXPECT_FALSE(run(top_command(), {{"--interval", "1"}}));
}

TEST(ObserveAnswers, that_are_none_are_an_error) {
    EXPECT_EQ(parse_answer("{}").error().code(), ErrorCode::protocol);
    EXPECT_EQ(parse_answer(R"({"error":"no"})").error().message(), "no");
    EXPECT_FALSE(parse_answer("garbage"));
    EXPECT_TRUE(parse_answer(R"({"ok":null})"));
}

TEST(ObserverRun, speaks_to_a_program) {
    auto echo = Observer::run({"sh", "-c", "read line; echo '{\"ok\":7}'"}).value();
    EXPECT_EQ(format_json(echo.ask({}).value()), "7");
    EXPECT_EQ(echo.ask({}).error().code(), ErrorCode::unavailable);
    EXPECT_EQ(Observer::run({"no-such-program-here"}).error().code(), ErrorCode::not_found);
}

TEST(TopTable, has_rates_between_two_snapshots_and_sorts) {
    observe::Snapshot before{
        .application = "a", .version = "1", .taken_us = 0, .workers = {}, .processes = {}};
    before.processes.push_back({.pid = "<1.1>",
                                .parent = {},
                                .label = "Slow",
                                .name = {},
                                .state = "waiting",
                                .mailbox_length = 9,
                                .messages_handled = 100});
    before.processes.push_back({.pid = "<2.1>",
                                .parent = {},
                                .label = "Fast",
                                .name = {},
                                .state = "waiting",
                                .messages_handled = 10});
    observe::Snapshot now = before;
    now.taken_us = 2'000'000;
    now.processes[0].messages_handled = 101;
    now.processes[1].messages_handled = 60;
    now.processes[1].busy_us = 500'000;
    std::string const by_rate = top_table(before, now, TopOrder::rate, 10);
    EXPECT_LT(by_rate.find("Fast"), by_rate.find("Slow"));
    EXPECT_THAT(by_rate, AllOf(HasSubstr("25.0   25.0"), HasSubstr("0.5    0.0")));
    EXPECT_THAT(top_table(before, now, TopOrder::mailbox, 1),
                AllOf(HasSubstr("Slow"), Not(HasSubstr("Fast"))));
}

TEST(Screens, are_cut_to_size_by_characters) {
    EXPECT_EQ(fit("├─ one\ntwo\nthree", {.rows = 2, .columns = 4}), "├─ o\ntwo");
}

} // namespace
} // namespace sinew::tooling
