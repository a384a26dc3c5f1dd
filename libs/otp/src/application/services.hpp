/// ApplicationServices: what an application's node runs besides its own tree: the log's handlers, and the
/// socket for observers.
///
/// Invariant: started before the application's tree and stopped after it. Threading: the main thread.
#pragma once

#include "log/settings.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/application.hpp>
#include <sinew/otp/applications.hpp>
#include <sinew/otp/logger.hpp>
#include <sinew/otp/node.hpp>

#include <string>
#include <string_view>

namespace sinew::detail {

/// The class's name without its namespaces: what people call the application.
[[nodiscard]] std::string short_name(std::string_view name);
/// The caller's application among those it needs; the caller keeps it. Errors as Applications::add().
[[nodiscard]] Result<> add_all(Applications& applications, Application& application, std::string const& name);

/// The logger of an application: levels from SINEW_LOG ("info", "warning,led=debug"). A bad value is told,
/// and leaves them as they are.
void read_log_levels(log::Logger& logger);

class ApplicationServices {
public:
    /// Starts them in `node`, which logs to `logger`. What can't be started is logged: the application runs
    /// without.
    ApplicationServices(Node& node, log::Logger& logger, log::Settings const& settings,
                        ApplicationInfo const& info);
    /// Writes what waits in the log, and stops them.
    ~ApplicationServices();
    ApplicationServices(ApplicationServices const&) = delete;
    ApplicationServices& operator=(ApplicationServices const&) = delete;
    ApplicationServices(ApplicationServices&&) = delete;
    ApplicationServices& operator=(ApplicationServices&&) = delete;

private:
    SupervisorRef m_tree;
};

} // namespace sinew::detail
