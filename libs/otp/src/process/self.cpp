// What a process asks of itself and of its node.
#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "process/guard.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/process_local.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinew {

using detail::NodeCore;
using detail::Process;
using detail::ProcessScope;
using detail::t_context;

Node& current_node() {
    return detail::require_core().node;
}

Pid self() noexcept {
    return t_context.process != nullptr ? t_context.process->pid() : Pid();
}

MonotonicTime now() {
    return MonotonicTime(Duration(detail::require_core().now_ns()));
}

bool is_alive(Pid pid) {
    NodeCore const& core = detail::require_core();
    Process const* const process = core.find(pid);
    return process != nullptr && process->identity.load(std::memory_order_acquire) == pid.value();
}

void set_trap_exit(bool trap) {
    ProcessScope const scope("set_trap_exit()");
    Process& process = scope.process();
    process.flags = trap ? process.flags | Process::traps_exit : process.flags & ~Process::traps_exit;
}

void exit_self(ExitReason reason) {
    ProcessScope const scope("exit_self()");
    throw detail::ExitRequest{std::move(reason)};
}

void set_priority(Priority priority) {
    ProcessScope const scope("set_priority()");
    scope.process().priority = priority;
}

Result<> set_real_time() {
    ProcessScope const scope("set_real_time()");
    Process& process = scope.process();
    NodeCore const& core = t_context.worker->core;
    if (core.is_simulated()) {
        return {};
    }
    if (core.real_time_worker == nullptr) {
        return failure(ErrorCode::unsupported,
                       "this node has no real-time worker: set NodeOptions::real_time");
    }
    if (process.extras != nullptr && !process.extras->file_watches.empty()) {
        return failure(ErrorCode::invalid_argument,
                       "set_real_time() comes before the first FileWatch: a process that watches descriptors "
                       "stays on its worker");
    }
    process.is_real_time = true;
    if (!t_context.worker->is_real_time()) {
        process.flags |= Process::is_moving;
    }
    return {};
}

void set_label(std::string label) {
    ProcessScope const scope("set_label()");
    scope.process().more().label = std::move(label);
}

void hibernate() {
    ProcessScope const scope("hibernate()");
    Process& process = scope.process();
    if (process.extras == nullptr) {
        return;
    }
    if (process.extras->is_empty()) {
        delete std::exchange(process.extras, nullptr);
    } else {
        process.extras->shrink();
    }
}

namespace detail {

void* find_process_local(void const* key, std::shared_ptr<void> (*make)()) {
    ProcessScope const scope("process_local()");
    auto& locals = scope.process().more().locals;
    auto const found = std::ranges::find(locals, key, [](auto const& entry) { return entry.first; });
    if (found != locals.end()) {
        return found->second.get();
    }
    return locals.emplace_back(key, make()).second.get();
}

} // namespace detail

} // namespace sinew
