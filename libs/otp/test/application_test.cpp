// SINEW_APPLICATION as others see it: a program with arguments, a service manager, signals and an exit
// status.
#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/exit_status.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/process.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sinew {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Applications : public ::testing::Test {
protected:
    void configure(std::string_view toml) {
        ASSERT_TRUE(write_file_atomically(directory.path() / "config.toml", as_bytes(toml)));
    }
    [[nodiscard]] CommandResult run(std::vector<std::string> arguments, CommandOptions options = {}) const {
        arguments.insert(arguments.begin(), OTP_APPLICATION_PROGRAM);
        options.timeout = std::chrono::seconds(20);
        return run_command(arguments, options).value();
    }
    [[nodiscard]] CommandResult run_configured() const {
        return run({"--config", directory.path().string()});
    }

    TemporaryDirectory directory = TemporaryDirectory::create().value();
};

TEST_F(Applications, help_and_version_are_printed) {
    EXPECT_THAT(run({"--help"}).output, AllOf(HasSubstr("--config DIR"), HasSubstr("SINEW_TARGET")));
    EXPECT_EQ(run({"--version"}).output, "LampApplication 1.2.3\n");
}

TEST_F(Applications, an_unknown_argument_is_an_error) {
    CommandResult const result = run({"--frobnicate"});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.error_output, HasSubstr("unknown argument '--frobnicate'"));
}

TEST_F(Applications, a_bad_configuration_is_an_error_with_file_and_line) {
    configure("[lamp]\ncolour = 1\n");
    CommandResult const result = run_configured();
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.error_output, AllOf(HasSubstr("config.toml:2"), HasSubstr("colour")));
}

TEST_F(Applications, its_log_goes_where_the_configuration_says) {
    std::string const log = (directory.path() / "lamp.log").string();
    configure("[lamp]\nfails_to_start = true\n[log]\nlevel = 'notice'\n[[log.handlers]]\nkind = 'json'\n"
              "path = '" +
              log + "'\n");
    EXPECT_EQ(run_configured().status, 1);
    EXPECT_THAT(read_text_file(log).value(),
                AllOf(HasSubstr(R"("level":"error")"), HasSubstr("there is no lamp")));
}

TEST_F(Applications, a_bad_log_section_is_an_error_with_file_and_line) {
    configure("[log]\nlevel = 'loud'\n");
    CommandResult const result = run_configured();
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.error_output, AllOf(HasSubstr("[log]: "), HasSubstr("config.toml:2: level")));
}

TEST_F(Applications, a_child_that_fails_to_start_is_an_error_with_its_reason) {
    configure("[lamp]\nfails_to_start = true\n");
    CommandResult const result = run_configured();
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.error_output, AllOf(HasSubstr("did not start"), HasSubstr("there is no lamp")));
}

TEST_F(Applications, a_tree_that_gives_up_ends_the_program) {
    configure("[lamp]\ncrashes = true\n");
    CommandResult const result = run_configured();
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.error_output, AllOf(HasSubstr("bulb burnt out"), HasSubstr("top supervisor gave up"),
                                           HasSubstr("stopped")));
}

/// Plays the service manager: hears `count` datagrams, then asks the sender to stop.
class ServiceManager {
public:
    ServiceManager(std::filesystem::path const& path, std::size_t count)
        : m_count(count) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.c_str(), path.string().size());
        EXPECT_EQ(bind(m_listener.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address), 0);
        int const on = 1;
        (void)setsockopt(m_listener.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
        m_thread = std::jthread([this] { hear(); });
    }
    std::vector<std::string> heard() {
        m_thread.join();
        return m_heard;
    }

private:
    void hear() {
        while (m_heard.size() < m_count) {
            std::array<char, 64> text{};
            std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
            iovec part{.iov_base = text.data(), .iov_len = text.size()};
            msghdr message{};
            message.msg_iov = &part;
            message.msg_iovlen = 1;
            message.msg_control = control.data();
            message.msg_controllen = control.size();
            ssize_t const length = recvmsg(m_listener.get(), &message, 0);
            m_heard.emplace_back(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
            cmsghdr const* const header = CMSG_FIRSTHDR(&message);
            if (m_heard.size() == m_count && header != nullptr) {
                ucred sender{};
                std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
                kill(sender.pid, SIGTERM);
            }
        }
    }

    FileDescriptor m_listener{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    std::size_t m_count;
    std::vector<std::string> m_heard;
    std::jthread m_thread;
};

TEST_F(Applications, it_tells_it_is_ready_and_stops_in_order_on_sigterm) {
    configure("");
    std::string const socket_path = (directory.path() / "notify").string();
    ServiceManager manager(socket_path, 1);
    CommandResult const result =
        run({"--config", directory.path().string()}, {.environment = {{"NOTIFY_SOCKET", socket_path}}});
    EXPECT_THAT(manager.heard(), ElementsAre("READY=1"));
    EXPECT_EQ(result.status, 0) << result.error_output;
    EXPECT_THAT(result.error_output, AllOf(HasSubstr("about to stop"), HasSubstr("lamp off: shutdown"),
                                           HasSubstr("has stopped in order")));
}

TEST_F(Applications, it_tells_that_it_lives_as_often_as_it_is_asked_to) {
    configure("");
    std::string const socket_path = (directory.path() / "notify").string();
    ServiceManager manager(socket_path, 4);
    CommandResult const result =
        run({"--config", directory.path().string()},
            {.environment = {{"NOTIFY_SOCKET", socket_path}, {"WATCHDOG_USEC", "60000"}}});
    EXPECT_THAT(manager.heard(), ElementsAre("READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"));
    EXPECT_EQ(result.status, 0) << result.error_output;
}

/// The program while it runs, and what it logs.
class RunningApplication : public Applications {
protected:
    void start(std::string_view toml) {
        configure(toml);
        process.emplace(
            Process::start({.command = {OTP_APPLICATION_PROGRAM, "--config", directory.path().string()},
                            .error_output = Redirect::pipe()})
                .value());
    }
    /// Until it has logged `text`; false: it has ended.
    [[nodiscard]] bool has_logged(std::string_view text) {
        std::array<char, 512> buffer{};
        while (log.find(text) == std::string::npos) {
            pollfd entry{.fd = process->error_output().get(), .events = POLLIN, .revents = 0};
            (void)::poll(&entry, 1, -1);
            ssize_t const count = ::read(entry.fd, buffer.data(), buffer.size());
            if (count <= 0) {
                return false;
            }
            log.append(buffer.data(), static_cast<std::size_t>(count));
        }
        return true;
    }
    /// Its status when it has ended, and the rest of what it logged.
    [[nodiscard]] ExitStatus end() {
        (void)has_logged("no such line");
        return process->wait();
    }

    std::optional<Process> process;
    std::string log;
};

TEST_F(RunningApplication, stops_in_order_when_its_terminal_is_gone) {
    start("");
    ASSERT_TRUE(has_logged("is up"));
    process->signal(SIGHUP);
    EXPECT_EQ(end(), ExitStatus::exited(0)) << log;
    EXPECT_THAT(log, AllOf(HasSubstr("lamp off: shutdown"), HasSubstr("has stopped in order")));
}

TEST_F(RunningApplication, is_told_by_an_error_that_nobody_reads_any_more) {
    start("[lamp]\nwrites_to_nobody = true\n");
    ASSERT_TRUE(has_logged("is up"));
    process->signal(SIGTERM);
    EXPECT_EQ(end(), ExitStatus::exited(0)) << log;
    EXPECT_THAT(log, HasSubstr("nobody reads"));
}

TEST_F(RunningApplication, ends_in_spite_of_a_stuck_handler_and_its_siblings_in_order) {
    start("[lamp]\ngets_stuck = true\nstop_limit = '3s'\n");
    ASSERT_TRUE(has_logged("stuck from now on"));
    process->signal(SIGTERM);
    EXPECT_EQ(end(), ExitStatus::exited(1)) << log;
    EXPECT_THAT(log,
                AllOf(ContainsRegex("child '.*Lamp' <.*going on without it"), HasSubstr("fan off: shutdown"),
                      ContainsRegex("did not stop within 3000 ms; it waits for .*Lamp <")));
}

TEST_F(RunningApplication, says_what_it_waits_for_when_it_is_asked_again_and_ends_when_interrupted) {
    start("[lamp]\ngets_stuck = true\n");
    ASSERT_TRUE(has_logged("stuck from now on"));
    process->signal(SIGTERM);
    ASSERT_TRUE(has_logged("about to stop"));
    process->signal(SIGTERM);
    EXPECT_TRUE(has_logged("is stopping; it waits for ")) << log;
    process->signal(SIGINT);
    EXPECT_EQ(end(), ExitStatus::exited(1)) << log;
    EXPECT_THAT(log,
                AllOf(ContainsRegex("is stopping; it waits for .*Lamp <.*in a handler for .*Tick"),
                      ContainsRegex("was interrupted again before it had stopped; it waits for .*Lamp <")));
}

} // namespace
} // namespace sinew
