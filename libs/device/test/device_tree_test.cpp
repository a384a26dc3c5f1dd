/// The whole tree with shell scripts for programs: what an application's crashes do to its device.
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/device/application_monitor.hpp>
#include <sinew/device/boot_counters.hpp>
#include <sinew/device/device_tree.hpp>
#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sinew::device {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// Only ends a test that hangs.
constexpr auto patience = 5min;

/// What the tree asked of the machine, waited for by the test.
class Asked {
public:
    void add(std::string what) {
        std::scoped_lock const lock(m_mutex);
        m_what.push_back(std::move(what));
        m_changed.notify_all();
    }
    bool wait_for(std::string const& text) {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, patience, [&] {
            return std::ranges::any_of(
                m_what, [&](auto const& what) { return what.find(text) != std::string::npos; });
        });
    }
    std::size_t count() {
        std::scoped_lock const lock(m_mutex);
        return m_what.size();
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<std::string> m_what;
};

class DeviceTree : public ::testing::Test {
protected:
    DeviceTree() {
        EXPECT_GE(::inotify_add_watch(m_changes.get(), m_folder.path().c_str(), IN_MOVED_TO), 0);
        m_config.product = "blinky";
        m_config.network.interface = "";
        m_config.ssh.enabled = false;
        m_config.startup_guard = {.stable_for = 20ms, .deadline = 1h};
        m_config.application.name = "blinky";
        m_config.application.max_restarts = 2;
        m_machine.status_path = m_folder.path() / "status.json";
        m_machine.boot.slot = "b";
        m_machine.uptime_s = [] { return 1; };
        m_machine.validate = [this]() -> Result<> {
            m_asked.add("validate");
            return {};
        };
        m_machine.reboot = [this](std::string const& why) { m_asked.add("reboot: " + why); };
        m_machine.pet = [this]() -> Result<> {
            m_asked.add("pet");
            return {};
        };
        m_machine.watchdog_timeout = 1h;
    }
    void start(std::string script) {
        m_config.application.command = {"/bin/sh", "-c", std::move(script)};
        m_tree = m_node.start(device_tree(m_config, m_machine)).value();
    }
    /// Waits until the status says so; the writer replaces the file at each change.
    bool wait_for_status(ApplicationStatus wanted) {
        return wait_for_files([&] {
            auto const text = read_text_file(m_machine.status_path);
            auto const status =
                text ? from_json<DeviceStatus>(*text, "status.json") : Result<DeviceStatus>(DeviceStatus{});
            return status && status->application.state == wanted;
        });
    }
    /// Looks whether `condition` holds, and again whenever a file has come into the folder.
    template<typename Condition>
    bool wait_for_files(Condition condition) {
        while (!condition()) {
            pollfd waiting{.fd = m_changes.get(), .events = POLLIN, .revents = 0};
            std::array<char, 4096> ignored{};
            if (::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) != 1 ||
                ::read(m_changes.get(), ignored.data(), ignored.size()) < 0) {
                return false;
            }
        }
        return true;
    }
    TemporaryDirectory m_folder = TemporaryDirectory::create().value();
    FileDescriptor m_changes{::inotify_init1(IN_CLOEXEC)};
    Asked m_asked;
    DeviceConfig m_config;
    DeviceMachine m_machine;
    Node m_node{NodeOptions{.workers = 2}};
    SupervisorRef m_tree;
};

// Says READY=1 as an application does, then waits.
constexpr char const* ready_application =
    "exec python3 -c 'import os,socket,time\n"
    "s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\n"
    "s.sendto(b\"READY=1\", \"\\0\"+os.environ[\"NOTIFY_SOCKET\"][1:])\n"
    "time.sleep(100)'";

TEST_F(DeviceTree, a_good_application_on_trial_validates_the_slot) {
    m_machine.boot.trial = true;
    start(ready_application);
    EXPECT_TRUE(m_asked.wait_for("validate"));
    EXPECT_TRUE(wait_for_status(ApplicationStatus::running));
    EXPECT_TRUE(stop_and_wait(m_tree.pid(), ExitReason::shutdown(), patience));
}

TEST_F(DeviceTree, one_that_cannot_start_on_trial_reboots_the_device_at_once) {
    m_machine.boot.trial = true;
    start("exit 9");
    EXPECT_TRUE(m_asked.wait_for("reboot: application: it keeps failing: it ended with status 9"));
}

TEST_F(DeviceTree, one_that_keeps_crashing_on_a_validated_slot_stays_down_and_the_rest_stays_up) {
    m_config.services = {{.name = "service", .command = {"/bin/sh", "-c", "sleep 100"}, .ready_path = ""}};
    start("exit 9");
    EXPECT_TRUE(wait_for_status(ApplicationStatus::failed));
    auto const counts = call(m_tree, CountChildren{}).value();
    EXPECT_EQ(counts.active, counts.specs)
        << "heart, status, guards, service and application tree are all there";
    EXPECT_EQ(m_asked.count(), 1U) << "one pet, no reboot";
    EXPECT_TRUE(stop_and_wait(m_tree.pid(), ExitReason::shutdown(), patience));
}

TEST_F(DeviceTree, after_too_many_resets_the_platform_is_up_without_the_application) {
    m_machine.boot.runs = most_runs;
    m_machine.boot.reason = BootReason::watchdog_or_reset;
    start("exit 9");
    EXPECT_TRUE(wait_for_status(ApplicationStatus::held_back));
    auto const children = call(m_tree, WhichChildren{}).value();
    EXPECT_FALSE(std::ranges::any_of(children, [](auto const& it) { return it.id == "application tree"; }));
    EXPECT_TRUE(std::ranges::all_of(children, [](auto const& it) { return it.pid != Pid(); }));
    EXPECT_TRUE(stop_and_wait(m_tree.pid(), ExitReason::shutdown(), patience));
}

TEST_F(DeviceTree, a_start_is_taken_back_once_the_platform_is_up) {
    m_machine.keep_boot_counters = [this](BootNote const& note) -> Result<> {
        m_asked.add("runs: " + std::to_string(note.runs));
        return {};
    };
    m_machine.boot.starts = 2;
    m_machine.boot.runs = 2;
    start("exec sleep 100");
    EXPECT_TRUE(m_asked.wait_for("runs: 2"));
    EXPECT_TRUE(stop_and_wait(m_tree.pid(), ExitReason::shutdown(), patience));
}

TEST_F(DeviceTree, a_firmware_on_trial_without_its_data_goes_back_at_once) {
    m_machine.boot.trial = true;
    m_machine.boot.data = DataState::missing;
    m_machine.boot.data_detail = "can't mount it";
    start(ready_application);
    EXPECT_TRUE(m_asked.wait_for("reboot: data: can't mount it"));
}

TEST_F(DeviceTree, the_application_gets_its_configuration_and_its_target) {
    m_config.platform = "x86_64";
    m_config.application.config_directory = "/srv/app/config";
    auto const out = m_folder.path() / "out";
    start("echo $SINEW_CONFIG_DIR $SINEW_TARGET > " + out.string() + ".new; mv " + out.string() + ".new " +
          out.string() + "; sleep 100");
    ASSERT_TRUE(wait_for_status(ApplicationStatus::starting));
    EXPECT_TRUE(wait_for_files([&] { return std::filesystem::exists(out); }));
    EXPECT_EQ(read_text_file(out).value(), "/srv/app/config x86_64\n");
    EXPECT_TRUE(stop_and_wait(m_tree.pid(), ExitReason::shutdown(), patience));
}

} // namespace
} // namespace sinew::device
