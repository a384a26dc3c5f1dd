/// Feeds a file to a program's standard input and hears what it says, with progress.
///
/// Blocks until the program ends.
#pragma once

#include <sinew/base/command.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace sinew::tooling {

/// Runs `arguments` with `file` as a stream on its standard input. A program that stops reading is no error
/// by itself: its status and words tell. `on_progress` hears bytes sent and in all. At most 1 MiB of each
/// output is kept. Errors: not_found: no such program or file; io.
[[nodiscard]] Result<CommandResult>
feed_command(std::vector<std::string> const& arguments, std::filesystem::path const& file,
             std::function<void(std::uint64_t, std::uint64_t)> const& on_progress);

} // namespace sinew::tooling
