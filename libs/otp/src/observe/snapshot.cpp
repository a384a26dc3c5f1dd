// Looks at all processes of a node: each tells about itself on its own worker.
#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "log/report.hpp"

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/observe.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/process_info.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sinew::observe {
namespace {

constexpr std::chrono::milliseconds answer_limit{300};

/// Gathers what the processes tell, and answers when the last of them has, or when its time is up.
class Collector {
public:
    Collector(detail::ReplyPath path, Snapshot snapshot)
        : m_path(std::move(path))
        , m_snapshot(std::move(snapshot)) {
        for (std::size_t at = 0; at < m_snapshot.processes.size(); ++at) {
            m_positions.emplace(m_snapshot.processes[at].pid, at);
        }
    }
    Collector(Collector const&) = delete;
    Collector& operator=(Collector const&) = delete;
    Collector(Collector&&) = delete;
    Collector& operator=(Collector&&) = delete;
    ~Collector() { answer(); }
    void add(Process process) {
        std::lock_guard const lock(m_mutex);
        if (m_path) {
            auto const found = m_positions.find(process.pid);
            m_snapshot.processes[found->second] = std::move(process);
        }
    }
    /// It has ended meanwhile.
    void remove(Pid pid) {
        std::lock_guard const lock(m_mutex);
        if (m_path) {
            m_snapshot.processes[m_positions.at(pid.to_string())].pid.clear();
        }
    }
    void answer() noexcept {
        std::lock_guard const lock(m_mutex);
        if (m_path) {
            std::erase_if(m_snapshot.processes, [](Process const& process) { return process.pid.empty(); });
            m_path.answer(detail::make_reply<Snapshot>(m_path, std::move(m_snapshot)));
        }
    }

private:
    std::mutex m_mutex;
    detail::ReplyPath m_path;
    Snapshot m_snapshot;
    std::unordered_map<std::string, std::size_t> m_positions;
};

/// Asks one process; it answers ahead of its mailbox, also while it is suspended.
struct LookSignal {
    std::shared_ptr<Collector> collector;
    Pid process;
};

/// What a look from outside shows, too.
void add_info(Process& row, ProcessInfo const& info) {
    row.state = to_string(info.state);
    row.mailbox_length = static_cast<std::int64_t>(info.mailbox_length);
    row.messages_handled = static_cast<std::int64_t>(info.messages_handled);
    row.messages_dropped = static_cast<std::int64_t>(info.messages_dropped);
    row.memory_bytes = static_cast<std::int64_t>(info.memory_bytes);
    row.busy_us = std::chrono::duration_cast<std::chrono::microseconds>(info.time_running).count();
    row.handling = info.handling != nullptr ? detail::readable_type_name(*info.handling) : std::string();
    row.is_supervisor = info.is_supervisor;
}

std::int64_t microseconds(std::int64_t nanoseconds) noexcept {
    return nanoseconds / 1000;
}

Process look_at(detail::Process const& process) {
    Process row{.pid = process.pid().to_string(),
                .parent = {},
                .label = detail::label_of(process),
                .name = detail::name_of(process),
                .state = std::string(to_string(ProcessState::stopping))};
    if (std::optional<ProcessInfo> const info = process_info(process.pid())) {
        add_info(row, *info);
    }
    if (process.has(detail::Process::is_held)) {
        row.state = "suspended";
    }
    if (process.extras != nullptr && process.extras->parent) {
        row.parent = process.extras->parent.to_string();
    }
    return row;
}

void arrive_look(detail::Process& process, detail::Envelope& envelope) {
    detail::PayloadScope<LookSignal> const signal(envelope);
    signal->collector->add(look_at(process));
}
void bounce_look(detail::Envelope& envelope, ExitReason const& /*reason*/) noexcept {
    detail::PayloadScope<LookSignal> const signal(envelope);
    signal->collector->remove(signal->process);
}
constexpr detail::MessageOps look_ops{
    .kind = detail::EnvelopeKind::signal, .discard = &bounce_look, .arrive = &arrive_look};

/// Ends the wait for processes that are stuck.
struct TimeUpSignal {
    std::weak_ptr<Collector> collector;
};
void arrive_time_up(detail::Process& /*process*/, detail::Envelope& envelope) {
    detail::PayloadScope<TimeUpSignal> const signal(envelope);
    if (auto const collector = signal->collector.lock()) {
        collector->answer();
    }
}
constexpr detail::MessageOps time_up_ops{.kind = detail::EnvelopeKind::signal,
                                         .discard = &detail::discard_payload<TimeUpSignal>,
                                         .arrive = &arrive_time_up};

std::int64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::int64_t total_pages = 0;
    std::int64_t resident_pages = 0;
    file >> total_pages >> resident_pages;
    return resident_pages * ::sysconf(_SC_PAGESIZE);
}

/// What can be told of a process without its help.
std::optional<Process> look_from_outside(Pid pid) {
    std::optional<ProcessInfo> const info = process_info(pid);
    if (!info) {
        return std::nullopt;
    }
    Process row{.pid = pid.to_string(), .parent = {}, .label = detail::class_label(*info->type), .name = {}};
    add_info(row, *info);
    row.state = "no answer";
    return row;
}

void begin(detail::ReplyPath path, std::size_t limit) {
    detail::NodeCore& core = detail::require_core();
    Snapshot snapshot;
    snapshot.os_process = ::getpid();
    snapshot.taken_us = core.now_ns() / 1000;
    snapshot.resident_bytes = resident_bytes();
    snapshot.process_count = static_cast<std::int64_t>(core.process_count());
    for (std::size_t at = 0; at < core.workers.size(); ++at) {
        snapshot.workers.push_back({.busy_us = microseconds(core.workers[at]->busy_ns())});
    }
    std::vector<Pid> pids;
    for (Pid const pid : processes()) {
        std::optional<Process> row = pids.size() < limit ? look_from_outside(pid) : std::nullopt;
        if (row) {
            snapshot.processes.push_back(*std::move(row));
            pids.push_back(pid);
        }
    }
    auto const collector = std::make_shared<Collector>(std::move(path), std::move(snapshot));
    void* node = nullptr;
    (void)detail::send_later(answer_limit, detail::make_envelope<TimeUpSignal>(time_up_ops, collector),
                             &node);
    for (Pid const pid : pids) {
        detail::deliver(pid, detail::make_envelope<LookSignal>(look_ops, collector, pid));
    }
}

} // namespace

void leave_out_tree_of(Snapshot& snapshot, Pid member) {
    std::unordered_map<std::string_view, Process const*> by_pid;
    for (Process const& process : snapshot.processes) {
        by_pid.emplace(process.pid, &process);
    }
    auto const root_of = [&by_pid](std::string_view pid) {
        // A circle can't be, but for what a snapshot shows of pids that are used anew.
        for (std::size_t steps = 0; steps < by_pid.size(); ++steps) {
            auto const found = by_pid.find(pid);
            if (found == by_pid.end() || !by_pid.contains(found->second->parent)) {
                break;
            }
            pid = found->second->parent;
        }
        return std::string(pid);
    };
    std::string const root = root_of(member.to_string());
    std::vector<std::string> roots;
    roots.reserve(snapshot.processes.size());
    for (Process const& process : snapshot.processes) {
        roots.push_back(root_of(process.pid));
    }
    std::vector<Process> kept;
    for (std::size_t at = 0; at < roots.size(); ++at) {
        if (roots[at] != root) {
            kept.push_back(std::move(snapshot.processes[at]));
        }
    }
    snapshot.processes = std::move(kept);
}

sinew::Request<Snapshot, false> take_snapshot(std::size_t limit) {
    return sinew::Request<Snapshot, false>(
        detail::custom_request([limit](detail::ReplyPath path) { begin(std::move(path), limit); },
                               detail::RequestLabel{.target = {}, .target_name = "the node"}, std::nullopt));
}

} // namespace sinew::observe
