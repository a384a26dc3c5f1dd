/// Unix stream sockets: the control socket's two ends.
///
/// Threading: functions without shared state.
#pragma once

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <filesystem>

namespace sinew::sim {

/// Listens on `path`, mode 0600. A socket file that nobody serves any more is replaced. Errors: exists:
/// somebody serves it; invalid_argument: longer than the 107 bytes a socket's path may have.
[[nodiscard]] Result<FileDescriptor> listen_on(std::filesystem::path const& path);

/// Errors: unavailable: nobody serves `path`; denied.
[[nodiscard]] Result<FileDescriptor> connect_to(std::filesystem::path const& path);

} // namespace sinew::sim
