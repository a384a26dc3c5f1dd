/// The words for an ExitStatus.
#include <sinew/base/exit_status.hpp>

#include <cstring>
#include <string>

namespace sinew {

std::string to_string(ExitStatus status) {
    if (auto const code = status.code()) {
        return "ended with status " + std::to_string(*code);
    }
    if (auto const signal = status.signal()) {
        char const* const name = ::sigdescr_np(*signal);
        return "was ended by signal " + std::to_string(*signal) + " (" +
               (name == nullptr ? "unknown" : name) + ")" + (status.has_dumped_core() ? ", core dumped" : "");
    }
    return "ended, but how it did was lost; is SIGCHLD ignored?";
}

} // namespace sinew
