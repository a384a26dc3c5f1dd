/// Implements <sinew/device/wait_status.hpp>.
///
/// Threading: pure functions.
#include <sinew/device/wait_status.hpp>

#include <sys/wait.h>

#include <cstring>
#include <string>

namespace sinew::device {

std::string describe_wait_status(int status) {
    if (!WIFSIGNALED(status)) {
        return "ended with status " + std::to_string(WEXITSTATUS(status));
    }
    auto const* name = ::sigdescr_np(WTERMSIG(status));
    return "was ended by signal " + std::to_string(WTERMSIG(status)) + " (" +
           (name == nullptr ? "unknown" : name) + ")" + (WCOREDUMP(status) ? ", core dumped" : "");
}

} // namespace sinew::device
