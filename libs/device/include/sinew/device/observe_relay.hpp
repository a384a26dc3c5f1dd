/// The device's end of `sinew observe --device`: SSH's standard input and output, connected to the socket of
/// a running application.
///
/// Threading: the main thread; blocks until either side closes.
#pragma once

#include <sinew/base/result.hpp>

#include <filesystem>
#include <string>

namespace sinew::device {

/// Connects descriptors 0 and 1 to the application called `application` (empty: the only one there is), or to
/// the socket of that path when it begins with '/'. Errors: not_found and invalid_argument as
/// observe::find_socket(); io.
[[nodiscard]] Result<> relay_observer(std::string const& application);

/// Copies `input` to the socket at `path`, and what comes from there to `output`, until one of them ends.
[[nodiscard]] Result<> relay(int input, int output, std::filesystem::path const& path);

} // namespace sinew::device
