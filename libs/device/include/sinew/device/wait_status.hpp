/// How a process ended, for people.
///
/// Threading: pure functions.
#pragma once

#include <string>

namespace sinew::device {

/// For what waitpid(2) wrote: "ended with status 1", "was ended by signal 11 (Segmentation fault), core
/// dumped".
[[nodiscard]] std::string describe_wait_status(int status);

} // namespace sinew::device
