/// A lock between programs whose waiters can say whom they wait for.
///
/// The name of the holder is for people only: the lock itself is flock(2), which ends with its process.
/// Blocks; safe from any thread.
#pragma once

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <filesystem>
#include <functional>
#include <string>

namespace sinew::system {

/// Locks `path`, which is made when it is missing. If somebody has it, `on_wait` is told who, e.g. "process
/// 4711 (sinew firmware)", before the wait. Errors: those of open(2) and flock(2).
[[nodiscard]] Result<FileDescriptor> lock_by_name(std::filesystem::path const& path,
                                                  std::function<void(std::string const&)> const& on_wait);

} // namespace sinew::system
