/// Monitor, guard and status under virtual time: what becomes of a firmware on trial.
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/device/application_monitor.hpp>
#include <sinew/device/status.hpp>
#include <sinew/device/trial_guard.hpp>
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sinew::device {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = OsProcessEvent::Kind;

ApplicationState running(pid_t pid) {
    return {.status = ApplicationStatus::running, .pid = pid};
}
ApplicationState stopped() {
    return {.status = ApplicationStatus::stopped, .last_end = "ended with status 1"};
}
ApplicationState failed() {
    return {.status = ApplicationStatus::failed, .last_end = "ended with status 1"};
}

/// What the guard did to the outside.
struct Deeds {
    int validations = 0;
    bool validation_works = true;
    int told = 0;
    std::vector<std::string> reboots;
    int forced_reboots = 0;
};

class Guard : public ::testing::Test {
protected:
    void start(Trial trial) {
        TrialGuardOptions options{
            .trial = trial,
            .limits = {.stable_for = 2s, .deadline = 60s},
            .conditions = m_conditions,
            .validate = [deeds = m_deeds]() -> Result<> {
                ++deeds->validations;
                return deeds->validation_works ? Result<>() : failure(ErrorCode::io, "disk is read-only");
            },
            .reboot = [deeds = m_deeds](auto const& why) { deeds->reboots.push_back(why); },
            .force_reboot = [deeds = m_deeds] { ++deeds->forced_reboots; },
            .on_validated = [deeds = m_deeds] { ++deeds->told; }};
        m_guard = m_simulation.node().start<TrialGuard>({}, std::move(options)).value();
    }
    void tell(ApplicationState state) {
        send(m_guard, std::move(state));
        m_simulation.run_until_settled();
    }
    void tell(TrialCondition condition) {
        send(m_guard, std::move(condition));
        m_simulation.run_until_settled();
    }
    bool is_validated() { return call(m_guard, TrialGuard::IsValidated{}).value(); }
    std::shared_ptr<Deeds> m_deeds = std::make_shared<Deeds>();
    std::vector<TrialCondition> m_conditions{{.name = "application", .detail = "it isn't up and ready"}};
    testing::Simulation m_simulation{3};
    ServerRef<TrialGuard> m_guard;
};

TEST_F(Guard, an_application_that_is_ready_and_stays_up_validates_the_firmware) {
    start(Trial::pending);
    EXPECT_FALSE(is_validated());
    tell(running(10));
    m_simulation.advance(1900ms);
    EXPECT_EQ(m_deeds->validations, 0);
    m_simulation.advance(200ms);
    EXPECT_EQ(m_deeds->validations, 1);
    EXPECT_EQ(m_deeds->told, 1);
    EXPECT_TRUE(is_validated());
    m_simulation.advance(1000s);
    EXPECT_TRUE(m_deeds->reboots.empty()) << "the deadline is off";
}

TEST_F(Guard, a_crash_in_between_starts_the_stable_time_again) {
    start(Trial::pending);
    tell(running(10));
    m_simulation.advance(1500ms);
    tell(stopped());
    tell(running(11));
    m_simulation.advance(1s);
    EXPECT_EQ(m_deeds->validations, 0);
    m_simulation.advance(1s);
    EXPECT_EQ(m_deeds->validations, 1);
}

TEST_F(Guard, one_that_is_never_ready_is_given_up_at_the_deadline) {
    start(Trial::pending);
    tell({.status = ApplicationStatus::starting, .pid = 10});
    m_simulation.advance(59s);
    EXPECT_TRUE(m_deeds->reboots.empty());
    m_simulation.advance(2s);
    EXPECT_THAT(m_deeds->reboots, ElementsAre("not in its time: application: it isn't up and ready"));
    EXPECT_FALSE(is_validated());
}

TEST_F(Guard, one_that_keeps_crashing_is_given_up_at_once) {
    start(Trial::pending);
    tell(failed());
    EXPECT_THAT(m_deeds->reboots, ElementsAre(HasSubstr("ended with status 1")));
}

TEST_F(Guard, a_reboot_that_does_not_come_is_asked_for_again_and_then_forced) {
    start(Trial::pending);
    tell(failed());
    m_simulation.advance(11s);
    EXPECT_EQ(m_deeds->reboots.size(), 3U);
    EXPECT_EQ(m_deeds->forced_reboots, 0);
    tell(running(10));
    m_simulation.advance(60s);
    EXPECT_GE(m_deeds->forced_reboots, 1);
    EXPECT_FALSE(is_validated()) << "what was given up stays given up";
}

TEST_F(Guard, every_condition_has_to_hold_and_all_of_them_together) {
    m_conditions.push_back({.name = "ssh", .detail = "its server hasn't started"});
    start(Trial::pending);
    tell(running(10));
    m_simulation.advance(10s);
    EXPECT_EQ(m_deeds->validations, 0);
    tell({.name = "ssh", .holds = true});
    m_simulation.advance(1s);
    tell({.name = "ssh", .holds = false, .detail = "its server ended with status 1"});
    m_simulation.advance(10s);
    EXPECT_EQ(m_deeds->validations, 0);
    m_simulation.advance(60s);
    EXPECT_THAT(m_deeds->reboots.front(), "not in its time: ssh: its server ended with status 1");
}

TEST_F(Guard, news_of_what_nobody_asked_for_is_passed_over) {
    start(Trial::pending);
    tell({.name = "ssh", .holds = false, .is_final = true});
    tell(running(10));
    m_simulation.advance(3s);
    EXPECT_TRUE(is_validated());
}

TEST_F(Guard, a_firmware_that_has_lost_its_data_is_given_up_at_once) {
    m_conditions.push_back({.name = "data", .detail = "no such file system", .is_final = true});
    start(Trial::pending);
    m_simulation.run_until_settled();
    EXPECT_THAT(m_deeds->reboots, ElementsAre(HasSubstr("data: no such file system")));
}

TEST_F(Guard, an_application_that_falls_silent_does_not_validate_its_firmware) {
    start(Trial::pending);
    tell(running(10));
    m_simulation.advance(1s);
    tell({.status = ApplicationStatus::silent, .pid = 10});
    m_simulation.advance(30s);
    EXPECT_EQ(m_deeds->validations, 0);
    tell(running(10));
    m_simulation.advance(3s);
    EXPECT_TRUE(is_validated());
}

TEST_F(Guard, a_validation_that_fails_is_tried_again_until_the_deadline) {
    m_deeds->validation_works = false;
    start(Trial::pending);
    tell(running(10));
    m_simulation.advance(10s);
    EXPECT_GE(m_deeds->validations, 3);
    EXPECT_FALSE(is_validated());
    m_deeds->validation_works = true;
    m_simulation.advance(3s);
    EXPECT_TRUE(is_validated());
    EXPECT_TRUE(m_deeds->reboots.empty());
}

TEST_F(Guard, a_validation_that_never_works_ends_in_the_old_firmware) {
    m_deeds->validation_works = false;
    start(Trial::pending);
    tell(running(10));
    m_simulation.advance(61s);
    ASSERT_FALSE(m_deeds->reboots.empty());
    EXPECT_EQ(m_deeds->reboots.front(), "the firmware could not be validated in its time");
}

TEST_F(Guard, a_validated_firmware_is_never_rebooted_whatever_the_application_does) {
    start(Trial::none);
    tell(failed());
    m_simulation.advance(1000s);
    EXPECT_TRUE(m_deeds->reboots.empty());
    EXPECT_EQ(m_deeds->validations, 0);
    EXPECT_TRUE(is_validated());
}

TEST_F(Guard, after_a_rollback_the_old_firmware_is_made_the_decided_one_again) {
    start(Trial::rolled_back);
    m_simulation.run_until_settled();
    EXPECT_EQ(m_deeds->validations, 1);
    EXPECT_TRUE(is_validated());
    EXPECT_TRUE(m_deeds->reboots.empty());
}

TEST_F(Guard, a_guard_that_is_asked_again_repeats_only_what_is_true) {
    start(Trial::pending);
    send(m_guard, TrialGuard::Announce{});
    m_simulation.run_until_settled();
    EXPECT_EQ(m_deeds->told, 0);
    tell(running(10));
    m_simulation.advance(3s);
    send(m_guard, TrialGuard::Announce{});
    m_simulation.run_until_settled();
    EXPECT_EQ(m_deeds->told, 2);
}

class Monitor : public ::testing::Test {
protected:
    Monitor() {
        m_monitor =
            m_simulation.node()
                .start<ApplicationMonitor>(
                    {},
                    ApplicationMonitorOptions{
                        .listener = [states = m_states](auto const& state) { states->push_back(state); }})
                .value();
    }
    void tell(OsProcessEvent event) {
        send(m_monitor, std::move(event));
        m_simulation.run_until_settled();
    }
    std::shared_ptr<std::vector<ApplicationState>> m_states =
        std::make_shared<std::vector<ApplicationState>>();
    testing::Simulation m_simulation{5};
    ServerRef<ApplicationMonitor> m_monitor;
};

TEST_F(Monitor, it_follows_the_application_and_counts_its_restarts) {
    tell({.kind = Kind::started, .name = "blinky", .pid = 10});
    tell({.kind = Kind::ready, .name = "blinky", .pid = 10});
    tell({.kind = Kind::ended, .name = "blinky", .pid = 10, .detail = "ended with status 1"});
    tell({.kind = Kind::started, .name = "blinky", .pid = 11});
    ASSERT_EQ(m_states->size(), 4U);
    EXPECT_EQ(m_states->at(0).status, ApplicationStatus::starting);
    EXPECT_EQ(m_states->at(1).status, ApplicationStatus::running);
    EXPECT_EQ(m_states->at(2).status, ApplicationStatus::stopped);
    EXPECT_EQ(m_states->at(2).pid, 0);
    EXPECT_EQ(m_states->at(3).restarts, 1);
    EXPECT_EQ(m_states->at(3).last_end, "ended with status 1");
}

TEST_F(Monitor, when_the_applications_supervisor_gives_up_it_has_failed_for_good) {
    auto const supervisor =
        m_simulation.node()
            .start(supervise(Strategy::one_for_one,
                             {child(supervise(Strategy::one_for_one, {}),
                                    {.id = application_supervisor_name, .restart = Restart::transient})}))
            .value();
    tell({.kind = Kind::started, .name = "blinky", .pid = 10});
    ASSERT_TRUE(call(supervisor, TerminateChild{application_supervisor_name}));
    m_simulation.run_until_settled();
    EXPECT_EQ(m_states->back().status, ApplicationStatus::failed);
    EXPECT_EQ(call(m_monitor, ApplicationMonitor::GetState{}).value().status, ApplicationStatus::failed);
}

TEST_F(Monitor, an_application_that_was_asked_to_stop_has_not_failed) {
    auto const supervisor =
        m_simulation.node()
            .start(supervise(Strategy::one_for_one,
                             {child(supervise(Strategy::one_for_one, {}),
                                    {.id = application_supervisor_name, .restart = Restart::transient})}))
            .value();
    tell({.kind = Kind::started, .name = "blinky", .pid = 10});
    tell({.kind = Kind::stopped, .name = "blinky", .pid = 10, .detail = "ended with status 0"});
    ASSERT_TRUE(call(supervisor, TerminateChild{application_supervisor_name}));
    m_simulation.run_until_settled();
    EXPECT_EQ(m_states->back().status, ApplicationStatus::stopped);
}

class Status : public ::testing::Test {
protected:
    DeviceStatus read() {
        return from_json<DeviceStatus>(read_text_file(m_path).value(), "status.json").value();
    }
    TemporaryDirectory m_folder = TemporaryDirectory::create().value();
    std::filesystem::path m_path = m_folder.path() / "status.json";
    testing::Simulation m_simulation{9};
};

TEST_F(Status, the_file_follows_every_change) {
    int asked = 0;
    auto const writer =
        m_simulation.node()
            .start<StatusWriter>({}, StatusWriterOptions{.path = m_path,
                                                         .initial = {.product = "blinky",
                                                                     .version = "0.2.0",
                                                                     .slot = "b",
                                                                     .trial = true,
                                                                     .boot_reason = BootReason::update,
                                                                     .application = {.name = "blinky"}},
                                                         .uptime_s = [] { return 42; },
                                                         .ask_for_news = [&asked] { ++asked; }})
            .value();
    EXPECT_EQ(asked, 1);
    EXPECT_FALSE(read().validated);
    EXPECT_EQ(read().uptime_s, 42);
    send(writer, running(77));
    send(writer, StatusWriter::Validated{});
    m_simulation.run_until_settled();
    EXPECT_TRUE(read().validated);
    EXPECT_EQ(read().application.pid, 77);
    EXPECT_EQ(read().application.state, ApplicationStatus::running);
}

TEST_F(Status, the_keys_are_those_that_the_tool_reads) {
    auto const text = to_json(DeviceStatus{});
    for (auto const* key :
         {"product", "version", "uuid", "platform", "slot", "trial", "validated", "rolled_back",
          "boot_reason", "serial_number", "uptime_s", "application", "name", "state", "pid", "restarts"}) {
        EXPECT_THAT(text, HasSubstr("\"" + std::string(key) + "\":"));
    }
}

TEST_F(Status, a_person_reads_what_runs_and_how_it_is) {
    DeviceStatus const status{
        .product = "blinky",
        .version = "0.2.0",
        .platform = "x86_64",
        .slot = "b",
        .validated = true,
        .boot_reason = BootReason::reboot_requested,
        .uptime_s = 93'784,
        .application = {.name = "blinky", .state = ApplicationStatus::running, .pid = 9, .restarts = 2}};
    EXPECT_EQ(describe_for_people(status), "blinky 0.2.0 on x86_64\n"
                                           "  slot         b, validated\n"
                                           "  started by   reboot_requested\n"
                                           "  up for       1 d 2 h 3 min 4 s\n"
                                           "  application  blinky: running (process 9), restarted 2 times\n");
}

TEST_F(Status, a_folder_that_is_missing_is_logged_once) {
    auto const writer = m_simulation.node().start<StatusWriter>(
        {}, StatusWriterOptions{.path = m_folder.path() / "none" / "status.json"});
    ASSERT_TRUE(writer);
    m_simulation.advance(300s);
    EXPECT_EQ(
        std::ranges::count_if(m_simulation.log_lines(),
                              [](auto const& line) { return line.find("status.json") != std::string::npos; }),
        1);
}

} // namespace
} // namespace sinew::device
