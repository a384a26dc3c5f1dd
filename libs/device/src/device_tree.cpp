/// Implements device_tree().
///
/// Threading: builds a value; the listeners in it run in the processes that call them.
#include <sinew/device/application_monitor.hpp>
#include <sinew/device/backoff.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/device_tree.hpp>
#include <sinew/device/heart.hpp>
#include <sinew/device/network.hpp>
#include <sinew/device/os_process.hpp>
#include <sinew/device/ssh.hpp>
#include <sinew/device/status.hpp>
#include <sinew/device/trial_guard.hpp>
#include <sinew/otp.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace sinew::device {
namespace {

// With backoff a child is started at most five times in ten seconds, so this is only reached by bugs of
// sinewd itself; then PID 1 reboots.
constexpr SupervisorOptions patient{
    .strategy = Strategy::one_for_one, .intensity = 10, .period = std::chrono::seconds(10)};

// SIGTERM to the application's own orderly shutdown.
constexpr std::chrono::milliseconds application_grace = std::chrono::seconds(5);

Trial trial_of(BootReport const& boot) {
    if (boot.trial) {
        return Trial::pending;
    }
    return boot.rolled_back ? Trial::rolled_back : Trial::none;
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
                         .uptime_s = 0,
                         .application = {.name = config.application.name}};
    return child<StatusWriter>({.path = machine.status_path,
                                .initial = std::move(initial),
                                .uptime_s = machine.uptime_s,
                                .ask_for_news = [] {
                                    send(name<ApplicationMonitor>, ApplicationMonitor::Announce{});
                                    send(name<TrialGuard>, TrialGuard::Announce{});
                                }});
}

ChildSpec guard_child(DeviceConfig const& config, DeviceMachine const& machine) {
    return child<TrialGuard>(
        {.trial = trial_of(machine.boot),
         .limits = config.startup_guard,
         .validate = machine.validate,
         .reboot = machine.reboot,
         .on_validated = [] { send(name<StatusWriter>, StatusWriter::Validated{}); },
         .ask_for_news = [] { send(name<ApplicationMonitor>, ApplicationMonitor::Announce{}); }});
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
        tree.children.push_back(child<Heart>({.pet = machine.pet, .timeout = machine.watchdog_timeout}));
    }
    tree.children.push_back(status_child(config, machine));
    tree.children.push_back(guard_child(config, machine));
    for (auto const& service : config.services) {
        tree.children.push_back(service_child(service));
    }
    if (!config.network.interface.empty()) {
        tree.children.push_back(os_process_child(dhcp_client(config.network, machine.boot.hostname)));
    }
    if (config.ssh.enabled) {
        tree.children.push_back(os_process_child(ssh_server(config.ssh)));
    }
    if (!config.application.command.empty()) {
        tree.children.push_back(application_child(config.application, config.platform));
    }
    return tree;
}

} // namespace sinew::device
