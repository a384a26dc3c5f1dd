// The logger: levels at run time, the ring, handlers that never block who logs, outputs.
#include <sinew/base/bytes.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sinew::log {

/// What the tests below read from a log.
struct Reading {
    double celsius = 0;
    std::string bus;
};
BOOST_DESCRIBE_STRUCT(Reading, (), (celsius, bus))

namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Event event_of(Level level, std::string_view text) {
    return Event{
        .level = level, .time = WallTime(1'700'000'000s + 42ms), .process = {}, .label = {}, .text = text};
}

std::vector<std::string> texts(std::vector<RecordPointer> const& records) {
    std::vector<std::string> result;
    for (RecordPointer const& record : records) {
        result.emplace_back(record->event().text);
    }
    return result;
}

/// Keeps what it is given; can be held up.
class MemoryOutput final : public Output {
public:
    Result<> write(std::span<RecordPointer const> records) override {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [this] { return !m_is_held; });
        if (m_fails) {
            return failure(ErrorCode::io, "no ink");
        }
        for (RecordPointer const& record : records) {
            m_lines.push_back(format(record->event()).substr(24));
        }
        return {};
    }
    void hold(bool is_held) {
        std::lock_guard const lock(m_mutex);
        m_is_held = is_held;
        m_changed.notify_all();
    }
    void fail(bool fails) { m_fails = fails; }
    [[nodiscard]] std::vector<std::string> lines() {
        std::lock_guard const lock(m_mutex);
        return m_lines;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_is_held = false;
    std::atomic<bool> m_fails = false;
    std::vector<std::string> m_lines;
};

class SilentLogger {
protected:
    Logger logger{{.level = Level::debug, .ring_capacity = 8, .fallback = nullptr}};
};

class Loggers : public ::testing::Test, protected SilentLogger {};

TEST(LogFormat, fields_follow_the_text) {
    Event event = event_of(Level::info, "read");
    event.fields = Fields(Reading{.celsius = 21.5, .bus = "i2c 1"}).values();
    EXPECT_EQ(format(event), "2023-11-14 22:13:20.042 [info] read celsius=21.5 bus=\"i2c 1\"");
}

TEST(LogFormat, colours_are_around_the_level_only) {
    EXPECT_EQ(format(event_of(Level::error, "x"), Colours::yes),
              "2023-11-14 22:13:20.042 \x1b[31m[error]\x1b[0m x");
}

TEST(LogFormat, a_report_has_one_field_a_line) {
    Event event = event_of(Level::error, "crashed");
    event.fields = Fields({{"last_message", "Tick"}, {"stack", "one\ntwo"}}).values();
    event.is_report = true;
    EXPECT_EQ(format(event), "2023-11-14 22:13:20.042 [error] crashed\n"
                             "    last message    Tick\n"
                             "    stack           one\n"
                             "                    two");
}

TEST(LogFormat, a_json_line_holds_all_that_is_known) {
    Event event = event_of(Level::notice, "hello \"you\"");
    event.process = Pid(3, 1);
    event.label = "Led";
    event.name = "left";
    event.ancestors = {Pid(2, 1)};
    event.fields = Fields({{"n", 3}}).values();
    EXPECT_EQ(
        format_json_line(event),
        R"({"time":"2023-11-14T22:13:20.042Z","level":"notice","pid":"<3.1>","label":"Led","name":"left",)"
        R"("ancestors":["<2.1>"],"text":"hello \"you\"","fields":{"n":3}})");
}

TEST(LogFormat, a_module_is_a_file_name_without_folder_and_extension) {
    EXPECT_EQ(module_of("/srv/project/src/led.cpp"), "led");
    EXPECT_EQ(module_of("led.test.cpp"), "led.test");
    EXPECT_EQ(module_of(""), "");
}

TEST_F(Loggers, levels_change_at_run_time_per_module) {
    ASSERT_TRUE(logger.apply("warning,led=debug"));
    EXPECT_TRUE(logger.accepts(Level::debug, "led"));
    EXPECT_FALSE(logger.accepts(Level::info, "button"));
    EXPECT_TRUE(logger.accepts(Level::warning, "button"));
    EXPECT_EQ(logger.levels(), "warning,led=debug");
    logger.reset_module_level("led");
    EXPECT_FALSE(logger.accepts(Level::debug, "led"));
    logger.set_module_level("button", Level::error);
    EXPECT_FALSE(logger.accepts(Level::warning, "button"));
}

TEST_F(Loggers, a_bad_level_changes_nothing_and_says_what_is_allowed) {
    auto const applied = logger.apply("error,led=loud");
    ASSERT_FALSE(applied);
    EXPECT_THAT(applied.error().message(),
                AllOf(HasSubstr("led=loud"), HasSubstr("notice, warning or error")));
    EXPECT_EQ(logger.levels(), "debug");
}

TEST_F(Loggers, the_ring_keeps_the_newest) {
    for (int i = 0; i < 20; ++i) {
        logger.write(event_of(Level::info, "event " + std::to_string(i)));
    }
    EXPECT_EQ(logger.ring().size(), 8U);
    EXPECT_THAT(texts(logger.ring().tail(2)), ElementsAre("event 18", "event 19"));
    EXPECT_THAT(texts(logger.ring().tail(100)), SizeIs(8));
    EXPECT_THAT(texts(logger.ring().grep("event 15", 5)), ElementsAre("event 15"));
    EXPECT_THAT(texts(logger.ring().grep("[info]", 2)), ElementsAre("event 18", "event 19"));
}

TEST_F(Loggers, the_ring_is_saved_as_text) {
    auto const directory = TemporaryDirectory::create().value();
    logger.write(event_of(Level::info, "one"));
    logger.write(event_of(Level::error, "two"));
    ASSERT_TRUE(logger.ring().save(directory.path() / "log.txt"));
    EXPECT_EQ(read_text_file(directory.path() / "log.txt").value(),
              "2023-11-14 22:13:20.042 [info] one\n2023-11-14 22:13:20.042 [error] two\n");
}

TEST_F(Loggers, a_long_text_is_cut) {
    logger.write(event_of(Level::info, std::string(100'000, 'x')));
    EXPECT_EQ(logger.ring().tail(1).front()->event().text.size(), 16384U);
}

TEST(LoggerFallback, gets_events_while_no_handler_is_attached) {
    class Recorder final : public Sink {
    public:
        void write(Event const& event) noexcept override { lines.emplace_back(event.text); }
        std::vector<std::string> lines;
    };
    Recorder recorder;
    Logger logger({.level = Level::info, .ring_capacity = 8, .fallback = &recorder});
    Node node({.workers = 1, .log = &logger});
    auto const output = std::make_shared<MemoryOutput>();
    info("before");
    auto const handler = node.start<Handler>({}, HandlerOptions{.logger = &logger, .output = output}).value();
    info("with a handler");
    ASSERT_TRUE(stop_and_wait(handler));
    info("after");
    EXPECT_THAT(recorder.lines, ElementsAre("before", "after"));
    EXPECT_THAT(output->lines(), ElementsAre("[info] with a handler"));
}

/// A node on threads with a handler that can be held up.
class Handlers : public ::testing::Test, protected SilentLogger {
protected:
    Node node{{.workers = 2, .log = &logger}};
    std::shared_ptr<MemoryOutput> output = std::make_shared<MemoryOutput>();

    ServerRef<Handler> start(OverloadLimits limits = {}) {
        return node.start<Handler>({}, HandlerOptions{.logger = &logger, .output = output, .limits = limits})
            .value();
    }
};

TEST_F(Handlers, events_arrive_whole_and_in_order) {
    auto const handler = start();
    for (int i = 0; i < 100; ++i) {
        info("event " + std::to_string(i));
    }
    ASSERT_TRUE(stop_and_wait(handler));
    auto const lines = output->lines();
    ASSERT_THAT(lines, SizeIs(100));
    EXPECT_EQ(lines.front(), "[info] event 0");
    EXPECT_EQ(lines.back(), "[info] event 99");
}

TEST_F(Handlers, an_output_that_hangs_never_holds_up_who_logs) {
    auto const handler = start({.queue = 10, .burst = 1000});
    output->hold(true);
    for (int i = 0; i < 300; ++i) {
        info("event " + std::to_string(i));
    }
    EXPECT_GE(logger.dropped(), 200U);
    output->hold(false);
    ASSERT_TRUE(stop_and_wait(handler));
    std::uint64_t const dropped = logger.dropped();
    auto const lines = output->lines();
    std::uint64_t reported = 0;
    std::uint64_t written = 0;
    for (std::string const& line : lines) {
        auto const at = line.find(" log events were dropped");
        if (at == std::string::npos) {
            ++written;
        } else {
            std::size_t const begin = line.rfind(' ', at - 1) + 1;
            reported += std::stoull(line.substr(begin, at - begin));
        }
    }
    EXPECT_EQ(reported, dropped);
    EXPECT_EQ(written + dropped, 300U) << "each event is written or counted";
}

TEST_F(Handlers, an_output_that_fails_ends_nothing) {
    auto const handler = start();
    output->fail(true);
    info("lost");
    while (logger.ring().grep("a log output fails: no ink", 1).empty()) {
        std::this_thread::yield();
    }
    output->fail(false);
    info("kept");
    ASSERT_TRUE(stop_and_wait(handler));
    EXPECT_THAT(output->lines(), ElementsAre("[info] kept"));
}

/// A handler under virtual time.
class SimulatedHandlers : public ::testing::Test, protected SilentLogger {
protected:
    testing::Simulation simulation{1};
    std::shared_ptr<MemoryOutput> output = std::make_shared<MemoryOutput>();
};

TEST_F(SimulatedHandlers, a_burst_is_cut_and_counted_once_a_period) {
    auto const handler = simulation.node().start<Handler>(
        {}, HandlerOptions{.logger = &logger, .output = output, .limits = {.queue = 1000, .burst = 5}});
    ASSERT_TRUE(handler);
    for (int i = 0; i < 20; ++i) {
        logger.write(event_of(Level::info, "event " + std::to_string(i)));
    }
    simulation.run_until_settled();
    EXPECT_THAT(output->lines(), SizeIs(6)) << "five and the notice";
    EXPECT_THAT(output->lines().back(), HasSubstr("15 log events were dropped"));
    for (int i = 0; i < 20; ++i) {
        logger.write(event_of(Level::info, "more"));
    }
    simulation.run_until_settled();
    EXPECT_THAT(output->lines(), SizeIs(6));
    simulation.advance(1s);
    EXPECT_THAT(output->lines().back(), HasSubstr("20 log events were dropped"));
    logger.write(event_of(Level::info, "calm again"));
    simulation.run_until_settled();
    EXPECT_EQ(output->lines().back(), "[info] calm again");
}

TEST_F(SimulatedHandlers, what_waits_is_written_when_its_supervisor_stops_it) {
    auto const tree = simulation.node().start(supervise(
        Strategy::one_for_one, {child<Handler>({.logger = &logger, .output = output}, {.id = "memory"})}));
    ASSERT_TRUE(tree);
    logger.write(event_of(Level::info, "last words"));
    ASSERT_TRUE(stop_and_wait(tree->pid(), ExitReason::shutdown()));
    EXPECT_THAT(output->lines(), ElementsAre("[info] last words"));
}

TEST_F(SimulatedHandlers, a_handler_takes_from_its_level_on) {
    auto const handler = simulation.node().start<Handler>(
        {}, HandlerOptions{.logger = &logger, .output = output, .level = Level::warning});
    logger.write(event_of(Level::info, "small"));
    logger.write(event_of(Level::error, "big"));
    simulation.run_until_settled();
    EXPECT_THAT(output->lines(), ElementsAre("[error] big"));
}

TEST_F(SimulatedHandlers, a_handler_without_an_output_does_not_start) {
    EXPECT_FALSE(simulation.node().start<Handler>({}, HandlerOptions{.logger = &logger}));
}

TEST(LogOutputs, json_lines_are_appended_to_a_file) {
    auto const directory = TemporaryDirectory::create().value();
    auto const path = directory.path() / "log.jsonl";
    std::array const records{std::make_shared<Record const>(event_of(Level::info, "one")),
                             std::make_shared<Record const>(event_of(Level::info, "two"))};
    for (RecordPointer const& record : records) {
        ASSERT_TRUE(json_lines_output(path).value()->write({&record, 1}));
    }
    EXPECT_EQ(read_text_file(path).value(),
              R"({"time":"2023-11-14T22:13:20.042Z","level":"info","text":"one"})"
              "\n"
              R"({"time":"2023-11-14T22:13:20.042Z","level":"info","text":"two"})"
              "\n");
}

TEST(LogOutputs, kmsg_gets_a_priority_and_no_line_that_is_too_long) {
    auto const directory = TemporaryDirectory::create().value();
    auto const path = directory.path() / "kmsg";
    ASSERT_TRUE(write_file_atomically(path, {}));
    RecordPointer const record =
        std::make_shared<Record const>(event_of(Level::error, "first\n" + std::string(1000, 'x')));
    ASSERT_TRUE(kmsg_output("app", path).value()->write({&record, 1}));
    EXPECT_EQ(read_text_file(path).value(), "<11>app: first\n<11>app: " + std::string(900, 'x') +
                                                "\n<11>app: " + std::string(100, 'x') + "\n");
}

/// A datagram socket that stands in for the daemon.
FileDescriptor listen_at(std::string const& path) {
    FileDescriptor daemon(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    (void)::unlink(path.c_str());
    EXPECT_EQ(::bind(daemon.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address), 0);
    return daemon;
}
std::string received(FileDescriptor const& daemon) {
    std::array<char, 512> text{};
    ssize_t const length = ::recv(daemon.get(), text.data(), text.size(), MSG_DONTWAIT);
    return {text.data(), length > 0 ? static_cast<std::size_t>(length) : 0};
}

TEST(LogOutputs, syslog_gets_datagrams_also_after_its_daemon_was_restarted) {
    auto const directory = TemporaryDirectory::create().value();
    std::string const path = (directory.path() / "log").string();
    auto const output = syslog_output("app", path);
    RecordPointer const record = std::make_shared<Record const>(event_of(Level::warning, "hot"));
    EXPECT_FALSE(output->write({&record, 1})) << "no daemon";
    {
        auto const daemon = listen_at(path);
        ASSERT_TRUE(output->write({&record, 1}));
        EXPECT_THAT(received(daemon),
                    AllOf(::testing::StartsWith("<12>Nov 1"), HasSubstr("app["), HasSubstr("]: hot")));
    }
    auto const restarted = listen_at(path);
    ASSERT_TRUE(output->write({&record, 1}));
    EXPECT_THAT(received(restarted), HasSubstr("]: hot"));
}

TEST(LogOutputs, text_for_people_goes_to_a_descriptor_without_colours_unless_it_is_a_terminal) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    FileDescriptor const reader(ends[0]);
    FileDescriptor const writer(ends[1]);
    RecordPointer const record = std::make_shared<Record const>(event_of(Level::warning, "hot"));
    ASSERT_TRUE(human_output(writer.get())->write({&record, 1}));
    std::array<char, 128> text{};
    ssize_t const length = ::read(reader.get(), text.data(), text.size());
    EXPECT_EQ(std::string_view(text.data(), static_cast<std::size_t>(length)),
              "2023-11-14 22:13:20.042 [warning] hot\n");
}

} // namespace
} // namespace sinew::log
