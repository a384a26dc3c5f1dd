/// Unix stream sockets by path: the two ends.
///
/// Invariant: only the socket's user reaches it (mode 0600). Threading: any thread. Source: unix(7).
#pragma once

#include <sinew/base/file_descriptor.hpp>
#include <sinew/base/result.hpp>

#include <filesystem>

namespace sinew {

/// A connection whose reads and writes block. Errors: unavailable: nobody serves `path`; invalid_argument:
/// `path` has not 1 to 107 bytes; others as connect(2).
[[nodiscard]] Result<FileDescriptor> connect_to_unix_socket(std::filesystem::path const& path);

/// Binds and listens; the descriptor doesn't block. A socket that nobody serves any more is replaced. Errors:
/// exists: somebody serves it; invalid_argument: as above; others as bind(2).
[[nodiscard]] Result<FileDescriptor> listen_on_unix_socket(std::filesystem::path const& path);

} // namespace sinew
