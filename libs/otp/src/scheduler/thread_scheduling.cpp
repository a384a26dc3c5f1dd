#include "scheduler/thread_scheduling.hpp"

#include "core/node_core.hpp"
#include "core/worker.hpp"

#include <sinew/otp/log.hpp>
#include <sinew/otp/node.hpp>

#include <sched.h>
#include <sys/types.h>

#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

namespace sinew::detail {
namespace {

/// What a thread is and had while it drives a real-time worker.
struct RealTimeState {
    bool is_on = false;
    std::optional<cpu_set_t> processors_before;
};
constinit thread_local RealTimeState t_real_time;

void make_real_time(RealTimeWorker const& options) noexcept {
    t_real_time.is_on = true;
    sched_param const parameter{.sched_priority = options.priority};
    if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameter) != 0) {
        int const error = errno;
        log::warning("the real-time worker runs as an ordinary thread",
                     {{"cause", std::system_category().message(error)},
                      {"remedy", "CAP_SYS_NICE, or RLIMIT_RTPRIO of its priority"}});
    }
    if (options.processor < 0) {
        return;
    }
    cpu_set_t before;
    cpu_set_t wanted;
    CPU_ZERO(&wanted);
    CPU_SET(static_cast<unsigned>(options.processor), &wanted);
    if (sched_getaffinity(0, sizeof before, &before) != 0 ||
        sched_setaffinity(0, sizeof wanted, &wanted) != 0) {
        int const error = errno;
        log::warning("the real-time worker has no processor of its own",
                     {{"processor", options.processor}, {"cause", std::system_category().message(error)}});
        return;
    }
    t_real_time.processors_before = before;
}

} // namespace

void set_policy(pid_t thread_id, int policy) noexcept {
    sched_param const parameter{};
    (void)sched_setscheduler(thread_id, policy, &parameter);
}

void restore_policy(pid_t thread_id, Worker const& worker) noexcept {
    sched_param const parameter{.sched_priority = worker.core.real_time.priority};
    if (!worker.is_real_time() ||
        sched_setscheduler(thread_id, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameter) != 0) {
        set_policy(thread_id, SCHED_OTHER);
    }
}

void set_scheduling_for(Worker const& worker) noexcept {
    if (worker.is_real_time()) {
        make_real_time(worker.core.real_time);
        return;
    }
    if (std::exchange(t_real_time.is_on, false)) {
        set_policy(0, SCHED_OTHER);
    }
    if (auto const before = std::exchange(t_real_time.processors_before, std::nullopt)) {
        (void)sched_setaffinity(0, sizeof *before, &*before);
    }
}

} // namespace sinew::detail
