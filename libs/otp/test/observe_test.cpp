// Snapshots, trees, and the socket that serves them.
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/unix_socket.hpp>
#include <sinew/otp.hpp>
#include <sinew/otp/observe_socket.hpp>
#include <sinew/otp/simulation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace sinew::observe {

struct TapState {
    int drops = 0;
};
BOOST_DESCRIBE_STRUCT(TapState, (), (drops))

namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct Drop {};
class Tap : public sinew::Server<Tap> {
public:
    struct Options {
        int drops = 0;
    };
    explicit Tap(Options options)
        : m_state{options.drops} {}
    TapState& state() { return m_state; }
    void handle_cast(Drop /*drop*/) { ++m_state.drops; }

private:
    TapState m_state;
};

/// The only one of its kind.
class Bath : public sinew::Server<Bath> {
public:
    TapState& state() { return m_state; }

private:
    TapState m_state{7};
};

TEST(ObserveRequests, are_read_as_they_are_written) {
    Request const request{.operation = Operation::trace,
                          .process = "<4.1>",
                          .state = {},
                          .limit = 7,
                          .wait_ms = 20,
                          .text = {}};
    auto const again = parse_request(format_request(request)).value();
    EXPECT_EQ(again.operation, Operation::trace);
    EXPECT_EQ(again.process, "<4.1>");
    EXPECT_EQ(again.limit, 7);
    EXPECT_EQ(again.wait_ms, 20);
}

TEST(ObserveRequests, out_of_bounds_are_refused) {
    auto const refusal = [](std::string const& line) {
        auto const request = parse_request(line);
        return request ? std::string("taken") : request.error().message();
    };
    EXPECT_THAT(refusal(R"({"limit":0})"), HasSubstr("limit must be from 1 to 10000"));
    EXPECT_THAT(refusal(R"({"wait_ms":60001})"), HasSubstr("wait_ms"));
    EXPECT_THAT(refusal(R"({"operation":"dance"})"), HasSubstr("snapshot"));
    EXPECT_THAT(refusal(R"({"operation":"state"})"), HasSubstr("name the process"));
    EXPECT_THAT(refusal(R"({"operation":"replace_state","process":"1.1","state":3})"),
                HasSubstr("an object"));
    EXPECT_THAT(refusal(R"({"what":1})"), HasSubstr("unknown key 'what'"));
    EXPECT_THAT(refusal(std::string(70'000, ' ')), HasSubstr("at most 65536 bytes"));
    EXPECT_THAT(refusal("nonsense"), Not(HasSubstr("taken")));
}

TEST(ObserveRequests, pids_are_read_in_both_forms) {
    EXPECT_EQ(parse_pid("<12.3>").value(), Pid(12, 3));
    EXPECT_EQ(parse_pid("12.3").value(), Pid(12, 3));
    for (std::string_view const text :
         {"", "12", "<12.3", "12.3x", "1.-1", "16777216.1", "<1.549755813888>"}) {
        EXPECT_FALSE(parse_pid(text)) << text;
    }
}

Supervisor two_taps() {
    return supervise(Strategy::one_for_one,
                     {child<Tap>({.drops = 1}, {.id = "kitchen"}),
                      child(supervise(Strategy::one_for_one, {child<Tap>({.drops = 2}, {.id = "garden"})}),
                            {.id = "outside"})});
}

Snapshot snapshot_of(testing::Simulation& simulation) {
    Snapshot snapshot;
    spawn([&snapshot]() -> Async<> {
        set_label("observer");
        auto asked = take_snapshot();
        auto taken = co_await asked;
        snapshot = std::move(taken).value();
    });
    simulation.advance(1s);
    return snapshot;
}

TEST(Snapshots, show_the_tree_its_mailboxes_and_counts) {
    testing::Simulation simulation;
    auto const simulation_tree = simulation.node().start(two_taps()).value();
    auto const kitchen = whereis(name<Tap>("kitchen"));
    cast(kitchen, Drop{});
    simulation.run_until_settled();
    ASSERT_TRUE(call(system_of(kitchen), Suspend{}));
    cast(kitchen, Drop{});
    Snapshot const snapshot = snapshot_of(simulation);
    std::string const tap = "sinew::observe::(anonymous namespace)::Tap";
    std::string const text = tree_text(snapshot);
    EXPECT_THAT(text, HasSubstr("supervisor " + simulation_tree.pid().to_string() + " waiting"));
    EXPECT_THAT(text, HasSubstr("└─ supervisor \"outside\""));
    EXPECT_THAT(text, HasSubstr("   └─ " + tap + " \"garden\""));
    EXPECT_THAT(text, HasSubstr("├─ " + tap + " \"kitchen\" " + kitchen.pid().to_string() +
                                " suspended  mailbox 1, handled 2\n"));
    EXPECT_EQ(snapshot.process_count, 5) << text;
    EXPECT_GT(snapshot.resident_bytes, 0);
}

TEST(Snapshots, leave_a_whole_tree_out) {
    auto const process = [](std::string pid, std::string parent) {
        return Process{
            .pid = std::move(pid), .parent = std::move(parent), .label = {}, .name = {}, .state = {}};
    };
    Snapshot snapshot;
    snapshot.processes = {process("<1.1>", ""), process("<2.1>", "<1.1>"), process("<3.1>", "<2.1>"),
                          process("<4.1>", "<9.1>"), process("<5.1>", "<4.1>")};
    leave_out_tree_of(snapshot, Pid(2, 1));
    ASSERT_EQ(snapshot.processes.size(), 2U);
    EXPECT_EQ(snapshot.processes.front().pid, "<4.1>");
    EXPECT_EQ(snapshot.processes.back().pid, "<5.1>");
}

TEST(Snapshots, are_drawn_by_graphviz) {
    Snapshot snapshot{.application = "a \"b\"", .version = {}, .workers = {}, .processes = {}};
    snapshot.processes.push_back({.pid = "<1.1>",
                                  .parent = {},
                                  .label = "Top",
                                  .name = {},
                                  .state = "waiting",
                                  .is_supervisor = true});
    snapshot.processes.push_back(
        {.pid = "<2.1>", .parent = "<1.1>", .label = "Led", .name = "left", .state = "no answer"});
    EXPECT_EQ(tree_dot(snapshot), "digraph \"a \\\"b\\\"\" {\n"
                                  "    rankdir=LR;\n"
                                  "    node [shape=ellipse, fontname=\"sans-serif\"];\n"
                                  "    \"<1.1>\" [label=\"Top\n<1.1>\", shape=box];\n"
                                  "    \"<2.1>\" [label=\"Led \\\"left\\\"\n<2.1>\", color=red];\n"
                                  "    \"<1.1>\" -> \"<2.1>\";\n"
                                  "}\n");
}

TEST(Snapshots, a_circle_of_parents_is_survived) {
    Snapshot snapshot;
    snapshot.processes.push_back({.pid = "<1.1>", .parent = "<2.1>", .label = {}, .name = {}, .state = {}});
    snapshot.processes.push_back({.pid = "<2.1>", .parent = "<1.1>", .label = {}, .name = {}, .state = {}});
    snapshot.processes.push_back(
        {.pid = "<3.1>", .parent = "<3.1>", .label = "self", .name = {}, .state = {}});
    EXPECT_THAT(tree_text(snapshot), HasSubstr("self"));
}

TEST(Snapshots, a_process_that_is_stuck_does_not_hold_them_up) {
    log::Logger quiet({.fallback = nullptr});
    // Its threads look at these until it ends.
    std::atomic<bool> is_over = false;
    std::atomic<bool> has_begun = false;
    Node node({.workers = 2, .log = &quiet, .stuck_handlers = {.policy = StuckHandlers::Policy::ignore}});
    Pid const stuck = spawn([&] {
        has_begun = true;
        has_begun.notify_all();
        is_over.wait(false);
    });
    has_begun.wait(false);
    std::atomic<bool> was_told_so = false;
    std::atomic<bool> is_taken = false;
    spawn([&]() -> Async<> {
        auto asked = take_snapshot();
        auto const snapshot = co_await asked;
        for (Process const& process : snapshot->processes) {
            was_told_so = was_told_so || (process.pid == stuck.to_string() && process.state == "no answer");
        }
        is_taken = true;
        is_taken.notify_all();
    });
    is_taken.wait(false);
    is_over = true;
    is_over.notify_all();
    EXPECT_TRUE(was_told_so);
}

/// A node that can be observed, and a client.
class ObserveSocket : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(node.start<Server>(
            {}, ServerOptions{.path = path, .application = "taps", .version = "1.0", .logger = &logger}));
        ASSERT_TRUE(node.start(two_taps()));
        client = connect_to_unix_socket(path).value();
    }
    /// Sends a line and waits for one.
    std::string ask(std::string_view line) {
        EXPECT_GT(::write(client.get(), line.data(), line.size()), 0);
        EXPECT_EQ(::write(client.get(), "\n", 1), 1);
        return read_line();
    }
    std::string read_line() {
        while (received.find('\n') == std::string::npos) {
            pollfd file{.fd = client.get(), .events = POLLIN, .revents = 0};
            std::array<char, 4096> bytes{};
            constexpr int patience_ms = 300'000; // Only ends a test that hangs.
            if (::poll(&file, 1, patience_ms) != 1) {
                return "nothing came";
            }
            ssize_t const count = ::read(client.get(), bytes.data(), bytes.size());
            if (count <= 0) {
                return "closed";
            }
            received.append(bytes.data(), static_cast<std::size_t>(count));
        }
        std::string const line = received.substr(0, received.find('\n'));
        received.erase(0, line.size() + 1);
        return line;
    }

    TemporaryDirectory directory = TemporaryDirectory::create().value();
    std::filesystem::path path = directory.path() / "sockets" / "taps.77.sock";
    log::Logger logger{{.level = log::Level::debug, .fallback = nullptr}};
    Node node{{.workers = 2, .log = &logger}};
    FileDescriptor client;
    std::string received;
};

TEST_F(ObserveSocket, serves_snapshots) {
    std::string const answer = ask(R"({"operation":"snapshot"})");
    EXPECT_THAT(answer,
                AllOf(HasSubstr(R"("application":"taps","version":"1.0")"), HasSubstr(R"("name":"garden")")));
    EXPECT_THAT(ask(R"({"operation":"snapshot","limit":1})"), Not(HasSubstr("garden")));
}

TEST_F(ObserveSocket, reads_and_replaces_a_state) {
    EXPECT_EQ(ask(R"({"operation":"state","process":"garden"})"), R"({"ok":{"drops":2}})");
    EXPECT_EQ(ask(R"({"operation":"replace_state","process":"garden","state":{"drops":9}})"),
              R"({"ok":true})");
    EXPECT_EQ(ask(R"({"operation":"state","process":"garden"})"), R"({"ok":{"drops":9}})");
}

TEST_F(ObserveSocket, finds_a_process_by_its_class) {
    ASSERT_TRUE(node.start<Bath>());
    EXPECT_EQ(ask(R"({"operation":"state","process":"Bath"})"), R"({"ok":{"drops":7}})");
    EXPECT_EQ(ask(R"({"operation":"state","process":"sinew::observe::(anonymous namespace)::Bath"})"),
              R"({"ok":{"drops":7}})");
    EXPECT_THAT(ask(R"({"operation":"state","process":"Tap"})"),
                AllOf(HasSubstr("2 processes are a 'Tap' (<"), HasSubstr("name one by its pid")));
    EXPECT_THAT(ask(R"({"operation":"state","process":"ath"})"), HasSubstr("there is no process 'ath'"));
}

TEST_F(ObserveSocket, shows_no_internals_of_an_application_unless_asked) {
    auto const sockets = path.parent_path();
    ASSERT_TRUE(node.start<Server>({}, ServerOptions{.path = sockets / "quiet.1.sock",
                                                     .application = "quiet",
                                                     .version = "1",
                                                     .is_among_internals = true}));
    client = connect_to_unix_socket(sockets / "quiet.1.sock").value();
    EXPECT_THAT(ask(R"({"operation":"snapshot"})"),
                AllOf(HasSubstr("garden"), Not(HasSubstr("observe client"))));
    EXPECT_THAT(ask(R"({"operation":"snapshot","text":"all"})"),
                AllOf(HasSubstr("garden"), HasSubstr("observe client")));
}

TEST_F(ObserveSocket, suspends_resumes_and_stops) {
    auto const garden = whereis(name<Tap>("garden"));
    EXPECT_EQ(ask(R"({"operation":"suspend","process":"garden"})"), R"({"ok":true})");
    EXPECT_THAT(ask(R"({"operation":"snapshot"})"), HasSubstr(R"("state":"suspended")"));
    EXPECT_EQ(ask(R"({"operation":"resume","process":"garden"})"), R"({"ok":true})");
    EXPECT_EQ(ask(R"({"operation":"stop","process":")" + garden.pid().to_string() + R"("})"),
              R"({"ok":true})");
    EXPECT_FALSE(is_alive(garden));
}

TEST_F(ObserveSocket, counts_and_traces_what_a_process_does) {
    auto const garden = whereis(name<Tap>("garden"));
    std::atomic<bool> is_over = false;
    std::thread sender([&] {
        NodeScope const scope(node);
        while (!is_over) {
            cast(garden, Drop{});
            (void)call(system_of(garden), Resume{}); // Sends no faster than it is handled.
        }
    });
    // The sender may not have had its turn while it was counted.
    while (!ask(R"({"operation":"statistics","process":"garden","wait_ms":10})").contains("Drop")) {
    }
    EXPECT_THAT(ask(R"({"operation":"trace","process":"garden","limit":3,"wait_ms":60000})"),
                AllOf(HasSubstr("Drop"), HasSubstr("took_us")));
    is_over = true;
    sender.join();
    EXPECT_EQ(ask(R"({"operation":"trace","process":"kitchen","limit":3,"wait_ms":10})"), R"({"ok":[]})");
}

TEST_F(ObserveSocket, shows_the_log_and_changes_its_levels) {
    log::notice("dripping");
    EXPECT_THAT(ask(R"({"operation":"log_tail","text":"dripping","limit":10})"),
                HasSubstr("[notice] dripping"));
    EXPECT_EQ(ask(R"({"operation":"log_levels","text":"warning,tap=debug"})"),
              R"({"ok":"warning,tap=debug"})");
    EXPECT_THAT(ask(R"({"operation":"log_levels","text":"loud"})"), HasSubstr("error"));
}

TEST_F(ObserveSocket, answers_errors_and_goes_on) {
    EXPECT_THAT(ask("nonsense"), HasSubstr("error"));
    EXPECT_THAT(ask(R"({"operation":"state","process":"attic"})"), HasSubstr("there is no process 'attic'"));
    EXPECT_THAT(ask(R"({"operation":"state","process":"77.1"})"), HasSubstr("error"));
    EXPECT_THAT(ask(R"({"operation":"snapshot"})"), HasSubstr("ok"));
}

TEST_F(ObserveSocket, several_lines_at_once_are_answered_in_order) {
    std::string const lines = R"({"operation":"state","process":"kitchen"})"
                              "\n"
                              R"({"operation":"state","process":"garden"})";
    EXPECT_EQ(ask(lines), R"({"ok":{"drops":1}})");
    EXPECT_EQ(read_line(), R"({"ok":{"drops":2}})");
}

TEST_F(ObserveSocket, an_endless_line_ends_the_connection_only) {
    std::string const part(4096, 'x');
    for (int i = 0; i < 20; ++i) {
        if (::send(client.get(), part.data(), part.size(), MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    EXPECT_THAT(read_line(), HasSubstr("at most 65536 bytes"));
    client = connect_to_unix_socket(path).value();
    received.clear();
    EXPECT_THAT(ask(R"({"operation":"snapshot"})"), HasSubstr("ok"));
}

TEST_F(ObserveSocket, a_ninth_client_is_turned_away) {
    std::vector<FileDescriptor> others;
    EXPECT_THAT(ask(R"({"operation":"snapshot"})"), HasSubstr("ok"));
    for (int i = 0; i < 7; ++i) {
        others.push_back(connect_to_unix_socket(path).value());
    }
    auto ninth = connect_to_unix_socket(path).value();
    std::swap(client, ninth);
    EXPECT_EQ(read_line(), "closed");
    others.clear();
}

TEST_F(ObserveSocket, is_found_when_it_is_the_only_one_or_by_its_name) {
    auto const sockets = path.parent_path();
    EXPECT_EQ(find_socket(sockets, "").value(), path);
    EXPECT_EQ(find_socket(sockets, "taps").value(), path);
    EXPECT_EQ(find_socket(sockets, "taps.77").value(), path);
    EXPECT_THAT(find_socket(sockets, "attic").error().message(), HasSubstr("there are: taps.77"));
    ASSERT_TRUE(node.start<Server>(
        {}, ServerOptions{.path = sockets / "shed.1.sock", .application = "shed", .version = "1"}));
    EXPECT_THAT(find_socket(sockets, "").error().message(), HasSubstr("name one"));
    EXPECT_EQ(find_socket(sockets, "taps").value(), path);
    EXPECT_THAT(find_socket(directory.path(), "").error().message(), HasSubstr("no application is running"));
}

TEST_F(ObserveSocket, is_its_users_only) {
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    ASSERT_EQ(::stat(path.parent_path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(ObserveSocket, that_another_program_serves_is_left_alone) {
    EXPECT_EQ(listen_at(path).error().code(), ErrorCode::exists);
}

TEST(ObserveSocketPath, a_folder_that_others_can_write_to_is_refused) {
    auto const directory = TemporaryDirectory::create().value();
    auto const folder = directory.path() / "shared";
    ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
    ASSERT_EQ(::chmod(folder.c_str(), 0777), 0);
    EXPECT_EQ(listen_at(folder / "x.sock").error().code(), ErrorCode::denied);
}

TEST(ObserveSocketPath, a_socket_left_behind_is_replaced) {
    auto const directory = TemporaryDirectory::create().value();
    auto const path = directory.path() / "x.sock";
    {
        auto const abandoned = listen_at(path).value();
    }
    EXPECT_TRUE(listen_at(path));
}

} // namespace
} // namespace sinew::observe
