// How a process is made: all that may fail comes before anyone can know it.
#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "messages/delivery.hpp"

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/process.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace sinew::detail {
namespace {

/// A new process that an outside thread made: its worker begins with it.
void arrive_start(Process& process, Envelope& envelope) {
    destroy_payload<char>(envelope);
    process.flags |= Process::needs_start;
    process.owner.load(std::memory_order_relaxed)->queue.make_runnable(process);
}
constexpr MessageOps start_ops{
    .kind = EnvelopeKind::signal, .discard = &discard_payload<char>, .arrive = &arrive_start};

/// Whether a new process begins on this thread's worker.
bool is_made_here(NodeCore const& core) noexcept {
    Worker const* const worker = t_context.worker;
    return worker != nullptr && &worker->core == &core && worker != core.real_time_worker;
}

/// A record that is being made into a process; nobody knows it before publish(), and until then it goes back
/// when something throws.
class NewProcess {
public:
    explicit NewProcess(NodeCore& core)
        : m_core(core)
        , m_is_here(is_made_here(core)) {
        if (m_is_here) {
            m_process = &t_context.worker->take_slot();
        } else {
            core.slots.take(core.next_worker(), m_slot, 1);
            m_process = m_slot.front();
        }
    }
    NewProcess(NewProcess const&) = delete;
    NewProcess& operator=(NewProcess const&) = delete;
    NewProcess(NewProcess&&) = delete;
    NewProcess& operator=(NewProcess&&) = delete;
    ~NewProcess() {
        if (m_process == nullptr) {
            return;
        }
        delete std::exchange(m_process->start, nullptr);
        delete std::exchange(m_process->extras, nullptr);
        if (m_is_here) {
            t_context.worker->give_slot(*m_process);
        } else {
            m_core.slots.give(m_slot, 1);
        }
    }
    [[nodiscard]] bool is_here() const noexcept { return m_is_here; }
    [[nodiscard]] Process& process() const noexcept { return *m_process; }
    [[nodiscard]] Pid pid() const noexcept {
        return Pid::from_value(m_process->identity.load(std::memory_order_relaxed) & ~Process::free_bit);
    }
    void publish() noexcept {
        Process& process = *std::exchange(m_process, nullptr);
        process.behaviour = &process.start->blueprint->behaviour();
        process.identity.store(process.identity.load(std::memory_order_relaxed) & ~Process::free_bit,
                               std::memory_order_release);
        if (m_is_here) {
            t_context.worker->spawned += 1;
        } else {
            m_core.spawned_outside.fetch_add(1, std::memory_order_acq_rel);
        }
    }

private:
    NodeCore& m_core;
    bool m_is_here;
    std::vector<Process*> m_slot;
    Process* m_process = nullptr;
};

StartInfo* make_start_info(std::shared_ptr<Blueprint const> blueprint, SpawnOptions& options) {
    auto* const start = new StartInfo;
    start->blueprint = std::move(blueprint);
    start->type_slot = options.type_slot;
    start->name = std::move(options.name);
    start->on_started = std::move(options.on_started);
    start->via = std::move(options.via);
    start->timeout = options.start_timeout;
    return start;
}

std::shared_ptr<Ancestors const> ancestors_for_children(Process& spawner) {
    Extras& extras = spawner.more();
    if (extras.ancestors_for_children == nullptr) {
        auto made = make_shared_in_block<Ancestors>();
        made->front() = spawner.pid();
        if (extras.ancestors != nullptr) {
            std::copy(extras.ancestors->begin(), extras.ancestors->end() - 1, made->begin() + 1);
        }
        extras.ancestors_for_children = std::move(made);
    }
    return extras.ancestors_for_children;
}

/// Links and monitors, as the options say. Strong guarantee for the spawner.
void connect(Process& process, Pid pid, Process& spawner, SpawnOptions const& options) {
    if (options.is_linked) {
        Extras& own = process.more();
        own.ancestors = ancestors_for_children(spawner);
        own.parent = spawner.pid();
        own.links.insert(spawner.pid(), 0);
        spawner.more().links.insert(pid, 0);
    }
    if (options.monitor == nullptr) {
        return;
    }
    try {
        MonitorRef const ref{t_context.worker->next_sequence()};
        process.more().watchers.insert(ref, spawner.pid());
        spawner.more().monitors.insert(ref, pid);
        *options.monitor = ref;
    } catch (...) {
        if (options.is_linked) {
            spawner.extras->links.erase(pid);
        }
        throw;
    }
}

} // namespace

Pid spawn_process(Node& node, std::shared_ptr<Blueprint const> blueprint, SpawnOptions options) {
    RuntimeScope const scope;
    ensure_worker();
    if (t_context.process == nullptr && (options.is_linked || options.monitor != nullptr)) {
        throw std::logic_error("sinew: spawn_link() and spawn_monitor() work in a process only");
    }
    NewProcess fresh(node.core());
    Process& process = fresh.process();
    Pid const pid = fresh.pid();
    process.start = make_start_info(std::move(blueprint), options);
    EnvelopeOwner start_signal(fresh.is_here() ? nullptr : make_envelope<char>(start_ops, '\0'));
    if (t_context.process != nullptr) {
        connect(process, pid, *t_context.process, options);
    }
    fresh.publish();
    if (fresh.is_here()) {
        process.flags = Process::needs_start;
        t_context.worker->queue.make_runnable(process);
    } else {
        push_from_outside(process, pid, start_signal.release());
    }
    return pid;
}

} // namespace sinew::detail
