#include "application/services.hpp"

#include <sinew/otp/call.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/log_handler.hpp>
#include <sinew/otp/observe.hpp>
#include <sinew/otp/supervisor.hpp>

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace sinew::detail {
namespace {

constexpr std::chrono::seconds stop_limit{2};

std::string_view environment(char const* name) {
    char const* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): nobody sets it
    return value != nullptr ? value : "";
}

/// SINEW_OBSERVE, else a socket of its own in the folder where they all are.
std::filesystem::path socket_path(std::string const& name) {
    std::string_view const wanted = environment("SINEW_OBSERVE");
    return !wanted.empty() ? std::filesystem::path(wanted)
                           : observe::socket_folder() / (name + "." + std::to_string(::getpid()) + ".sock");
}

Supervisor services_tree(log::Logger& logger, log::Settings const& settings, ApplicationInfo const& info) {
    Supervisor tree = supervise(
        {.strategy = Strategy::one_for_one, .intensity = 100, .period = std::chrono::seconds(10)}, {});
    std::string const name = short_name(info.name);
    std::vector<log::HandlerOptions> handlers = log::make_handlers(logger, settings, name);
    for (std::size_t at = 0; at < handlers.size(); ++at) {
        tree.children.push_back(child<log::Handler>(
            std::move(handlers[at]), {.id = "log handler " + std::to_string(at), .is_registered = false}));
    }
    if (environment("SINEW_OBSERVE") != "off") {
        tree.children.push_back(child<observe::Server>({.path = socket_path(name),
                                                        .application = name,
                                                        .version = std::string(info.version),
                                                        .logger = &logger,
                                                        .is_among_internals = true},
                                                       {.id = "observe", .is_registered = false}));
    }
    return tree;
}

} // namespace

std::string short_name(std::string_view name) {
    std::size_t const colon = name.rfind(':');
    return std::string(colon == std::string_view::npos ? name : name.substr(colon + 1));
}

Result<> add_all(Applications& applications, Application& application, std::string const& name) {
    ApplicationSpec main{.name = name,
                         .application = std::shared_ptr<Application>(std::shared_ptr<void>(), &application)};
    for (ApplicationSpec& needed : application.needs()) {
        main.needs.push_back(needed.name);
        TRY_OK(applications.add(std::move(needed)));
    }
    return applications.add(std::move(main));
}

void read_log_levels(log::Logger& logger) {
    if (Result<> const applied = logger.apply(environment("SINEW_LOG")); !applied) {
        log::warning("SINEW_LOG: " + applied.error().message());
    }
}

ApplicationServices::ApplicationServices(Node& node, log::Logger& logger, log::Settings const& settings,
                                         ApplicationInfo const& info) {
    Result<SupervisorRef> const tree = node.start(services_tree(logger, settings, info));
    if (!tree) {
        log::warning("runs without its services: " + tree.error().message());
        return;
    }
    m_tree = *tree;
}

ApplicationServices::~ApplicationServices() {
    if (m_tree) {
        // What does not end in its time is killed with the node.
        std::ignore = stop_and_wait(m_tree.pid(), ExitReason::shutdown(), stop_limit);
    }
}

} // namespace sinew::detail
