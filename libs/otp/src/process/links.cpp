// Links and monitors, as a process asks for them.
#include "core/context.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "messages/mailbox.hpp"
#include "process/signals.hpp"

#include <sinew/otp/process.hpp>

#include <utility>
#include <vector>

namespace sinew {

using detail::Process;
using detail::ProcessScope;
using detail::t_context;

void link(Pid pid) {
    ProcessScope const scope("link()");
    Process& process = scope.process();
    if (pid == process.pid() || !process.more().links.insert(pid, 0)) {
        return;
    }
    detail::send_link(pid, process.pid());
}

void unlink(Pid pid, Flush flush) {
    ProcessScope const scope("unlink()");
    Process& process = scope.process();
    if (process.extras != nullptr && process.extras->links.erase(pid)) {
        detail::send_unlink(pid, process.pid());
    }
    if (flush == Flush::yes) {
        detail::flush_exits(process, pid);
    }
}

std::vector<Pid> links() {
    ProcessScope const scope("links()");
    Process const& process = scope.process();
    std::vector<Pid> result;
    if (process.extras != nullptr) {
        for (auto const& [pid, unused] : process.extras->links.entries()) {
            result.push_back(pid);
        }
    }
    return result;
}

MonitorRef monitor(Pid pid) {
    ProcessScope const scope("monitor()");
    Process& process = scope.process();
    MonitorRef const ref{t_context.worker->next_sequence()};
    process.more().monitors.insert(ref, pid);
    detail::send_monitor(pid, process.pid(), ref);
    return ref;
}

bool demonitor(MonitorRef ref) {
    ProcessScope const scope("demonitor()");
    Process& process = scope.process();
    Pid const* const watched = process.extras != nullptr ? process.extras->monitors.find(ref) : nullptr;
    if (watched == nullptr) {
        detail::flush_downs(process, ref);
        return false;
    }
    Pid const pid = *watched;
    process.extras->monitors.erase(ref);
    detail::send_demonitor(pid, ref);
    return true;
}

void exit(Pid pid, ExitReason reason) {
    detail::send_exit(pid, self(), std::move(reason), detail::ExitCause::request);
}

} // namespace sinew
