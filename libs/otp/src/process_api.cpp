// The public functions a process calls, and the delivery of envelopes.
#include "context.hpp"
#include "kernel.hpp"
#include "node_core.hpp"
#include "process.hpp"
#include "worker.hpp"

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
using detail::Worker;

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

void set_trap_exit(bool trap) {
    ProcessScope const scope("set_trap_exit()");
    Process& process = scope.process();
    process.flags = trap ? process.flags | Process::traps_exit : process.flags & ~Process::traps_exit;
}

void exit(Pid pid, ExitReason reason) {
    detail::send_exit(pid, self(), std::move(reason), detail::ExitCause::request);
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

Request<void> pause(Duration duration) {
    return Request<void>(detail::custom_request(
        [duration](detail::ReplyPath path) {
            detail::Envelope* const reply = detail::make_reply<void>(path);
            path.forget();
            void* node = nullptr;
            (void)detail::send_later(duration, reply, &node);
        },
        detail::RequestLabel{.target = {}, .target_name = "pause()"}, std::nullopt));
}

std::optional<Duration> cancel(Timer timer) {
    ProcessScope const scope("cancel()");
    Process const& process = scope.process();
    auto* const node = static_cast<detail::MessageTimer*>(timer.node);
    if (node == nullptr || timer.sequence == 0 ||
        std::atomic_ref(node->sequence).load(std::memory_order_relaxed) != timer.sequence ||
        node->process != &process) {
        return std::nullopt;
    }
    Worker& worker = *t_context.worker;
    Duration const left(std::max<std::int64_t>(node->due_ns - worker.core.now_ns(), 0));
    worker.timers.remove(*node);
    worker.forget_timer(*node, ExitReason::normal());
    return left;
}

namespace detail {

void Extras::shrink() {
    links.shrink();
    monitors.shrink();
    watchers.shrink();
    names.shrink_to_fit();
    unanswered.shrink_to_fit();
    held_replies.shrink_to_fit();
    stop_waiters.shrink_to_fit();
    end_waiters.shrink_to_fit();
    file_watches.shrink_to_fit();
    exit_hooks.shrink_to_fit();
    locals.shrink_to_fit();
    blocked_by.shrink_to_fit();
    blocked_senders.shrink_to_fit();
}

bool Extras::is_empty() const noexcept {
    return links.empty() && monitors.empty() && watchers.empty() && !parent && type_slot == no_type_slot &&
           names.empty() && label.empty() && !root && ready == nullptr && receiving == nullptr &&
           unanswered.empty() && held_replies.empty() && stop_waiters.empty() && end_waiters.empty() &&
           file_watches.empty() && exit_hooks.empty() && idle_timer.sequence == 0 && locals.empty() &&
           blocked_by.empty() && blocked_senders.empty() && failed_message == nullptr &&
           inspection == nullptr;
}

void* find_process_local(void const* key, std::shared_ptr<void> (*make)()) {
    ProcessScope const scope("process_local()");
    auto& locals = scope.process().more().locals;
    auto const found = std::ranges::find(locals, key, [](auto const& entry) { return entry.first; });
    if (found != locals.end()) {
        return found->second.get();
    }
    return locals.emplace_back(key, make()).second.get();
}

namespace {

struct StopMessage {
    ReplyPath path;
    ExitReason reason;
};
void deliver_stop(void* /*state*/, Envelope& envelope) {
    PayloadScope<StopMessage> const message(envelope);
    Process& process = *t_context.process;
    process.more().stop_waiters.push_back({std::move(message->path), message->reason});
    request_stop(process, std::move(message->reason));
}
void discard_stop(Envelope& envelope, ExitReason const& reason) noexcept {
    PayloadScope<StopMessage> const message(envelope);
    if (message->reason == reason) {
        message->path.answer(make_reply<void>(message->path));
    } else {
        message->path.fail(RequestFailure::ended, reason);
    }
}
constexpr MessageOps stop_ops{
    .deliver = &deliver_stop, .discard = &discard_stop, .type = &typeid(StopMessage), .is_system = true};

RequestStart start_stop(Pid pid, ExitReason reason, Duration timeout) {
    RequestStart start;
    start.target = pid;
    start.label = {.target = pid, .target_name = "process"};
    start.timeout = timeout;
    start.envelope = make_envelope<StopMessage>(stop_ops, ReplyPath(), std::move(reason));
    start.go = [](RequestStart& self, ReplyPath path) {
        payload_of<StopMessage>(*self.envelope).path = std::move(path);
        deliver(self.target, std::exchange(self.envelope, nullptr));
    };
    return start;
}

void fire_message(TimerNode& node) {
    auto& timer = static_cast<MessageTimer&>(node);
    Worker& worker = *t_context.worker;
    Process& process = *timer.process;
    Envelope* const envelope = std::exchange(timer.envelope, nullptr);
    worker.forget_timer(timer, {});
    worker.accept(process, envelope);
}

/// A new process that an outside thread made: its worker begins with it.
void arrive_start(Process& process, Envelope& envelope) {
    destroy_payload<char>(envelope);
    process.flags |= Process::needs_start;
    process.owner.load(std::memory_order_relaxed)->make_runnable(process);
}
constexpr MessageOps start_ops{
    .kind = EnvelopeKind::signal, .discard = &discard_payload<char>, .arrive = &arrive_start};

void push_from_outside(Process& process, Pid pid, Envelope* envelope) {
    envelope->target = pid;
    Envelope* head = process.remote.load(std::memory_order_relaxed);
    do {
        envelope->next = head;
    } while (!process.remote.compare_exchange_weak(head, envelope, std::memory_order_seq_cst,
                                                   std::memory_order_relaxed));
    if (head == nullptr) {
        process.owner.load(std::memory_order_seq_cst)->notify(process);
    }
}

/// Whether its sender is to wait when the mailbox is full.
bool has_to_wait_for(Process const& process, Envelope const& envelope) noexcept {
    return process.overflow.get() == MailboxLimit::Overflow::block_sender && envelope.ops->may_be_dropped &&
           t_context.process != nullptr && t_context.process != &process;
}

void deliver_in(NodeCore& core, Pid target, Envelope* envelope) {
    RuntimeScope const scope;
    Process* const process = core.find(target);
    Worker* const worker = t_context.worker;
    if (process == nullptr || process->identity.load(std::memory_order_acquire) != target.value()) {
        bounce(envelope);
    } else if (worker == nullptr || &worker->core != &core) {
        push_from_outside(*process, target, envelope);
    } else if (process->owner.load(std::memory_order_acquire) == worker) {
        if (worker->has_outgoing_for(*process)) [[unlikely]] {
            // It has come here from another worker since: what was sent before goes first.
            worker->flush_remote();
        }
        if (process->remote.load(std::memory_order_relaxed) != nullptr) [[unlikely]] {
            (void)worker->drain_remote(*process);
        }
        process->streak_sender = 0;
        bool const may_block = has_to_wait_for(*process, *envelope);
        worker->accept(*process, envelope);
        if (may_block) [[unlikely]] {
            block_sender_if_full(*process, target);
        }
    } else if (has_to_wait_for(*process, *envelope)) [[unlikely]] {
        process->messages_under_way.fetch_add(1, std::memory_order_relaxed);
        worker->send_remote(*process, target, envelope);
        block_sender_if_full(*process, target);
    } else {
        worker->send_remote(*process, target, envelope);
    }
}

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

/// Links and monitors, as the options say. Strong guarantee for the spawner.
void connect(Process& process, Pid pid, Process& spawner, SpawnOptions const& options) {
    if (options.is_linked) {
        process.more().parent = spawner.pid();
        process.extras->links.insert(spawner.pid(), 0);
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

void deliver(Pid target, Envelope* envelope) {
    deliver_in(require_core(), target, envelope);
}
void deliver(Node& node, Pid target, Envelope* envelope) {
    deliver_in(node.core(), target, envelope);
}

Pid spawn_process(Node& node, std::shared_ptr<Blueprint const> blueprint, SpawnOptions options) {
    RuntimeScope const scope;
    ensure_worker();
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
        t_context.worker->make_runnable(process);
    } else {
        push_from_outside(process, pid, start_signal.release());
    }
    return pid;
}

void send_first(Envelope* envelope) {
    ProcessScope const scope("continue_with()");
    scope.process().prepend(envelope);
}

std::uint64_t send_later(Duration delay, Envelope* envelope, void** node) {
    std::unique_ptr<Envelope, decltype([](Envelope* unsent) noexcept { bounce(unsent); })> owner(envelope);
    RuntimeScope const scope;
    ensure_worker();
    Process* const process = t_context.process;
    if (process == nullptr) {
        throw std::logic_error("send_after() works inside a process only");
    }
    Worker& worker = *t_context.worker;
    MessageTimer& timer = worker.take_timer();
    std::uint64_t const sequence = worker.next_sequence();
    std::atomic_ref(timer.sequence).store(sequence, std::memory_order_relaxed);
    std::int64_t const now_ns = worker.core.now_ns();
    timer.due_ns = delay.count() > TimerWheel::never - 1 - now_ns
                       ? TimerWheel::never - 1
                       : now_ns + std::max<std::int64_t>(delay.count(), 0);
    timer.fire = &fire_message;
    timer.process = process;
    timer.envelope = owner.release();
    timer.previous_timer = nullptr;
    timer.next_timer = process->timers;
    if (process->timers != nullptr) {
        process->timers->previous_timer = &timer;
    }
    process->timers = &timer;
    worker.timers.add(timer);
    *node = &timer;
    return sequence;
}

void arm_idle_timeout(Duration delay, Envelope* envelope) {
    ProcessScope const scope("set_idle_timeout()");
    Process& process = scope.process();
    payload_of<IdleMark>(*envelope).messages_handled = process.messages_handled;
    Extras& extras = process.more();
    (void)cancel(extras.idle_timer);
    if (delay <= Duration(0)) {
        extras.idle_timer = {};
        deliver(process.pid(), envelope);
    } else {
        extras.idle_timer.sequence = send_later(delay, envelope, &extras.idle_timer.node);
    }
}

bool is_still_idle(IdleMark mark) {
    ProcessScope const scope("an idle timeout");
    Process& process = scope.process();
    if (process.messages_handled == mark.messages_handled + 1) {
        return true;
    }
    process.messages_handled -= 1;
    return false;
}

void submit_blocking(std::function<void()> work) {
    NodeCore& core = require_core();
    if (core.is_simulated()) {
        work();
    } else if (core.blocking != nullptr) {
        core.blocking->submit(std::move(work));
    }
    // Otherwise the node is being destroyed: the work is dropped, and says so to whoever waits for it.
}

} // namespace detail

Request<void> stop(Pid pid, ExitReason reason, Duration timeout) {
    return Request<void>(detail::start_stop(pid, std::move(reason), timeout));
}

Result<> stop_and_wait(Pid pid, ExitReason reason, Duration timeout) {
    detail::RequestStart start = detail::start_stop(pid, std::move(reason), timeout);
    detail::Envelope* const reply = detail::wait_for_reply(start);
    return detail::take_reply<void>(reply, start.label);
}

} // namespace sinew
