/// Implements device_tree().
///
/// Threading: builds a value; the listeners in it run in the processes that call them.
#include <sinew/device/application_monitor.hpp>
#include <sinew/device/backoff.hpp>
#include <sinew/device/boot_guard.hpp>
#include <sinew/device/boot_report.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/device_tree.hpp>
#include <sinew/device/heart.hpp>
#include <sinew/device/held_application.hpp>
#include <sinew/device/network.hpp>
#include <sinew/device/os_process.hpp>
#include <sinew/device/ssh.hpp>
#include <sinew/device/status.hpp>
#include <sinew/device/trial_guard.hpp>
#include <sinew/otp.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::device {
namespace {

// With backoff a child is started at most five times in ten seconds, so this is only reached by bugs of
// sinewd itself; then PID 1 reboots.
constexpr SupervisorOptions patient{
    .strategy = Strategy::one_for_one, .intensity = 10, .period = std::chrono::seconds(10)};

// SIGTERM to the application's own orderly shutdown: longer than Application::stop_limit(), so that it says itself
// what it waited for; shorter than what PID 1 gives to all of us.
constexpr std::chrono::milliseconds application_grace = std::chrono::seconds(8);

// An application that is held back after resets which may have been the power supply's.
constexpr std::chrono::minutes hold_time{10};
constexpr std::chrono::minutes settle_time{5};

Trial trial_of(BootReport const& boot) {
    if (boot.trial) {
        return Trial::pending;
    }
    return boot.rolled_back ? Trial::rolled_back : Trial::none;
}

std::string why_held_back(BootReport const& boot) {
    return "was held back: the machine was reset again and again soon after its start (" +
           std::string(to_string(boot.reason)) + (boot.detail.empty() ? "" : ": " + boot.detail) +
           "); a reboot or an update starts it again";
}

ChildSpec status_child(DeviceConfig const& config, DeviceMachine const& machine) {
    DeviceStatus initial{.product = config.product,
                         .version = config.version,
                         .uuid = machine.uuid,
                         .platform = config.platform,
                         .slot = machine.boot.slot,
                         .trial = machine.boot.trial,
                         .validated = !machine.boot.trial,
                         .rolled_back = machine.boot.rolled_back,
                         .boot_reason = machine.boot.reason,
                         .boot_detail = machine.boot.detail,
                         .serial_number = machine.boot.serial_number,
                         .hostname = machine.boot.hostname,
                         .data = machine.boot.data,
                         .data_detail = machine.boot.data_detail,
                         .uptime_s = 0,
                         .application = {.name = config.application.name}};
    if (must_hold_application_back(machine.boot)) {
        initial.application.state = ApplicationStatus::held_back;
        initial.application.last_end = why_held_back(machine.boot);
    }
    return child<StatusWriter>({.path = machine.status_path,
                                .initial = std::move(initial),
                                .uptime_s = machine.uptime_s,
                                .ask_for_news = [] {
                                    send(name<ApplicationMonitor>, ApplicationMonitor::Announce{});
                                    send(name<TrialGuard>, TrialGuard::Announce{});
                                }});
}

/// How the conditions stand before anybody has said anything. Those that don't apply are left out.
std::vector<TrialCondition> first_conditions(DeviceConfig const& config, BootReport const& boot) {
    std::vector<TrialCondition> conditions;
    for (auto const& wanted : config.startup_guard.conditions) {
        if (wanted == "application" && !config.application.command.empty()) {
            conditions.push_back({.name = wanted, .detail = "it isn't up and ready"});
        } else if (wanted == "ssh" && config.ssh.enabled) {
            conditions.push_back({.name = wanted, .detail = "its server hasn't started"});
        } else if (wanted == "data") {
            bool const holds = boot.data != DataState::missing && boot.data != DataState::read_only;
            conditions.push_back(
                {.name = wanted, .holds = holds, .detail = boot.data_detail, .is_final = !holds});
        }
    }
    return conditions;
}

ChildSpec guard_child(DeviceConfig const& config, DeviceMachine const& machine) {
    return child<TrialGuard>(
        {.trial = trial_of(machine.boot),
         .limits = config.startup_guard,
         .conditions = first_conditions(config, machine.boot),
         .validate = machine.validate,
         .reboot = machine.reboot,
         .on_given_up = [] { send(name<Heart>, Heart::Stop{}); },
         .force_reboot = machine.force_reboot,
         .on_validated =
             [] {
                 send(name<StatusWriter>, StatusWriter::Validated{});
                 send(name<BootGuard>, BootGuard::Validated{});
             },
         .ask_for_news = [] { send(name<ApplicationMonitor>, ApplicationMonitor::Announce{}); }});
}

/// After resets that nobody can explain, the application gets another try; after others it doesn't.
std::optional<Duration> release_time(BootReport const& boot) {
    return boot.reason == BootReason::power_on ? std::optional<Duration>(hold_time) : std::nullopt;
}

ChildSpec boot_guard_child(DeviceMachine const& machine) {
    std::optional<Duration> settled_after = settle_time;
    if (must_hold_application_back(machine.boot)) {
        auto const release = release_time(machine.boot);
        settled_after = release ? std::optional<Duration>(*release + settle_time) : std::nullopt;
    }
    return child<BootGuard>({.boot = machine.boot,
                             .settled_after = settled_after,
                             .keep = machine.keep_boot_counters,
                             .end_careful_start = machine.end_careful_start});
}

OsProcessOptions watched_ssh_server(SecureShell const& ssh) {
    auto options = ssh_server(ssh);
    options.listener = [](OsProcessEvent const& event) {
        bool const runs = event.kind == OsProcessEvent::Kind::ready;
        if (event.kind != OsProcessEvent::Kind::started) {
            send(name<TrialGuard>,
                 TrialCondition{.name = "ssh", .holds = runs, .detail = "its server " + event.detail});
        }
    };
    return options;
}

ChildSpec service_child(Service const& service) {
    return os_process_child({.name = service.name,
                             .command = service.command,
                             .ready_path = service.ready_path,
                             .backoff = std::make_shared<Backoff>()});
}

ChildSpec application_child(ApplicationConfig const& application, std::string const& platform) {
    auto process = os_process_child(
        {.name = application.name,
         .command = application.command,
         .environment = {{"SINEW_CONFIG_DIR", application.config_directory}, {"SINEW_TARGET", platform}},
         .notifies_ready = true,
         .answer_limit = application.answer_limit,
         .stop_grace = application_grace,
         .listener = [](OsProcessEvent const& event) { send(name<ApplicationMonitor>, event); }});
    auto limited = supervise({.strategy = Strategy::one_for_one,
                              .intensity = static_cast<unsigned>(application.max_restarts),
                              .period = application.restart_period},
                             {std::move(process)});
    auto tell_all = [](ApplicationState const& state) {
        send(name<StatusWriter>, state);
        send(name<TrialGuard>, state);
    };
    // Transient: a supervisor that gives up ends with `shutdown`, and isn't started again.
    auto tree = supervise(
        {.strategy = Strategy::rest_for_one, .intensity = 3, .period = std::chrono::seconds(10)},
        {child<ApplicationMonitor>({.listener = tell_all}),
         child(std::move(limited), {.id = application_supervisor_name, .restart = Restart::transient})});
    return child(std::move(tree), {.id = "application tree"});
}

} // namespace

Supervisor device_tree(DeviceConfig const& config, DeviceMachine const& machine) {
    Supervisor tree{.options = patient, .children = {}};
    if (machine.pet) {
        tree.children.push_back(child<Heart>({.pet = machine.pet,
                                              .timeout = machine.watchdog_timeout,
                                              .pid_1_has_beaten = machine.pid_1_has_beaten}));
    }
    tree.children.push_back(status_child(config, machine));
    tree.children.push_back(guard_child(config, machine));
    tree.children.push_back(boot_guard_child(machine));
    for (auto const& service : config.services) {
        tree.children.push_back(service_child(service));
    }
    if (!config.network.interface.empty()) {
        tree.children.push_back(os_process_child(dhcp_client(config.network, machine.boot.hostname)));
    }
    if (config.ssh.enabled) {
        tree.children.push_back(os_process_child(watched_ssh_server(config.ssh)));
    }
    if (config.application.command.empty()) {
        return tree;
    }
    auto application = application_child(config.application, config.platform);
    if (must_hold_application_back(machine.boot)) {
        application = child<HeldApplication>({.application = std::move(application),
                                              .why = "it " + why_held_back(machine.boot),
                                              .release_after = release_time(machine.boot)});
    }
    tree.children.push_back(std::move(application));
    return tree;
}

} // namespace sinew::device
