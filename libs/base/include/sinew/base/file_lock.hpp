/// A lock between programs: flock(2) on a file.
///
/// The lock ends with the returned descriptor, and so with its process, however that ends: nobody has to
/// clean up. Threading: safe from any thread; lock_file() blocks.
#pragma once

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <filesystem>
#include <functional>

namespace sinew {

/// Locks `path`, which is made when it is missing, and waits for its holder if there is one. `on_wait` is
/// called before the wait, once. Errors: those of open(2) and flock(2).
[[nodiscard]] Result<FileDescriptor> lock_file(std::filesystem::path const& path,
                                               std::function<void()> const& on_wait = {});

} // namespace sinew
