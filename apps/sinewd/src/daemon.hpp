/// sinewd as a daemon: from the configuration to the running supervision tree, and back.
///
/// Threading: run_daemon() is called once, on the main thread, before any other thread exists.
#pragma once

#include <filesystem>

namespace sinew::daemon {

/// Runs until SIGTERM or SIGINT (returns 0), or until the tree gives up (returns 1; PID 1 then reboots).
[[nodiscard]] int run_daemon(std::filesystem::path const& config_path);

} // namespace sinew::daemon
