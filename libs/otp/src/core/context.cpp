#include "core/context.hpp"

#include <stdexcept>
#include <string>

namespace sinew::detail {

constinit thread_local Context t_context{};

Process& require_process(char const* function) {
    if (t_context.process == nullptr) {
        throw std::logic_error(std::string("sinew: ") + function + " works inside a process only");
    }
    ensure_worker();
    return *t_context.process;
}

NodeCore& require_core() {
    if (t_context.core == nullptr) {
        throw std::logic_error("sinew: this thread has no current node; make a Node on it, or a NodeScope");
    }
    return *t_context.core;
}

} // namespace sinew::detail
