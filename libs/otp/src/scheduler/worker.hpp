/// Worker: one scheduler: its run queue, timers, envelopes, watched descriptors, and the loop that runs
/// processes.
///
/// Invariant: a process is in at most one run queue, its owner's. Only the owner gives a process away,
/// between messages: a busy worker that sees a hungry one hands over half of its queue when its handlers are
/// long or many, and it didn't turn out that those talk to each other. While a worker rests, another may act
/// as the owner (Rest). Threading: one thread drives a worker; the members under "shared" are for others.
#pragma once

#include "process/process.hpp"
#include "process/published.hpp"
#include "scheduler/block_pool.hpp"
#include "scheduler/run_queue.hpp"
#include "scheduler/timer_wheel.hpp"

#include <sinew/base/file.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <unordered_map>
#include <vector>

namespace sinew::detail {

struct MessageTimer : TimerNode {
    MessageTimer* next_timer = nullptr;
    MessageTimer* previous_timer = nullptr;
    Process* process = nullptr;
    Envelope* envelope = nullptr;
};

struct FileWatchRecord {
    int fd = -1;
    std::uint32_t events = 0;
    std::uint64_t id = 0;
    Process* process = nullptr;
};

class Seat;

class Worker {
public:
    /// A simulated worker picks among its runnable processes as the chooser decides, one message at a time.
    Worker(NodeCore& node_core, unsigned worker_index);
    Worker(Worker const&) = delete;
    Worker& operator=(Worker const&) = delete;
    Worker(Worker&&) = delete;
    Worker& operator=(Worker&&) = delete;
    ~Worker();

    // The driving thread's.

    enum class LoopEnd : std::uint8_t {
        stopping,
        /// The thread whose handler was stuck came back for the worker.
        handed_back
    };
    /// Runs until the node stops, or another thread has the worker.
    LoopEnd run_loop();
    /// Runs one process for a while. False: nobody is runnable.
    bool run_one();
    /// Takes what other threads left here. True: something was there.
    bool take_shared_work();
    /// Looks at watched descriptors; waits until `deadline_ns` at most (a time past: not at all).
    bool poll_files(std::int64_t deadline_ns);
    bool fire_timers(std::int64_t now_ns);

    /// Takes in an envelope for a process of this worker: mailbox, answer, or signal.
    void accept(Process& process, Envelope* envelope);
    /// Puts an envelope that is a message at the end of the mailbox.
    void enqueue(Process& process, Envelope* envelope);
    /// Takes in the remote messages. False: none was for the process that lives there now.
    bool drain_remote(Process& process);
    void make_runnable(Process& process);
    /// Sends to a process of another worker; goes out at the end of the handler at the latest.
    void send_remote(Process& process, Pid pid, Envelope* envelope);
    /// Some of these wait to go out to `process`, which may have come to this worker meanwhile.
    [[nodiscard]] bool has_outgoing_for(Process const& process) const noexcept {
        return m_outgoing_target == &process;
    }
    enum class Outgoing : std::uint8_t {
        leaves,
        /// Between handlers: the receiver may come here instead.
        may_stay
    };
    void flush_remote(Outgoing outgoing = Outgoing::leaves);

    [[nodiscard]] Process& take_slot();
    void give_slot(Process& process) noexcept;
    [[nodiscard]] MessageTimer& take_timer();
    /// Takes a disarmed timer off its process and frees it; discards the envelope if it still has one.
    void forget_timer(MessageTimer& timer, ExitReason const& reason) noexcept;
    [[nodiscard]] std::uint64_t next_sequence() noexcept { return m_next_sequence++; }
    [[nodiscard]] int poller_fd() const noexcept { return m_poller.get(); }
    [[nodiscard]] unsigned index() const noexcept { return m_index; }
    /// Only processes that asked for it run here, and they stay; nobody visits.
    [[nodiscard]] bool is_real_time() const noexcept;

    NodeCore& core;
    BlockPools blocks;
    TimerWheel timers;
    std::unordered_map<std::uint64_t, std::unique_ptr<FileWatchRecord>> file_watches;

    /// The thread that drives it.
    std::atomic<Seat*> driver{nullptr};

    // For those who look.

    /// The process that runs, and the message it handles (null: something else than a message).
    Published<Process*> running;
    Published<MessageOps const*> handling;
    /// Handlers begun.
    Published<std::uint64_t> turns;
    /// Processes it made, and processes that ended here, ever.
    Published<std::uint64_t> spawned;
    Published<std::uint64_t> ended;

    // Shared.

    /// Any thread: `process` has remote messages; wakes the worker.
    void notify(Process& process) noexcept;
    /// Another worker: gives it `process`, runnable.
    void hand_over(Process& process) noexcept;
    void wake() noexcept;
    /// A displaced thread: it wants the worker back, between two handlers.
    void offer_return(Seat& seat) noexcept;
    [[nodiscard]] bool is_hungry() const noexcept { return m_is_hungry.load(std::memory_order_relaxed); }

    /// Processor time its thread has used. Any thread.
    [[nodiscard]] std::int64_t busy_ns() const noexcept;
    /// It sleeps, and nobody has left it anything. For tests.
    [[nodiscard]] bool is_settled() const noexcept {
        return m_rest.load() == Rest::asleep && m_notified.load() == nullptr &&
               m_handed_over.load() == nullptr;
    }

private:
    /// What a worker does that has nothing to run. Only in the last three may another worker take a process
    /// of it: it is the visitor meanwhile, and everything of this worker is its own.
    enum class Rest : std::uint8_t { awake, spinning, asleep, visited };

    [[nodiscard]] Process* pick();
    void run(Process& process);
    /// False: the process has ended.
    [[nodiscard]] bool run_messages(Process& process);
    /// Runs one process; gives half of the queue to a hungry worker when that pays.
    void run_one_and_share();
    void run_loop_step(unsigned& turn);
    /// Gives the worker to the thread that came back first.
    void hand_back() noexcept;
    void sleep();
    void idle();
    [[nodiscard]] bool spin() noexcept;
    [[nodiscard]] bool has_shared_work() const noexcept;
    /// From now on nobody visits.
    void end_rest() noexcept;
    /// Whether its queue may be shared now; see there.
    [[nodiscard]] bool may_share(std::int64_t now_ns) noexcept;
    void give_half(bool also_new);
    void adopt(Process& process);
    void take_timers_in(Process& process);
    void hand_over_to(Worker& target, Process& process);
    void move_to_real_time_worker(Process& process);
    /// Takes `process`, which has `pid`, from a worker that has nothing to do, when neither has this one.
    [[nodiscard]] bool take_over(Process& process, Pid pid);
    void take_notified(Process& process);
    [[nodiscard]] static bool is_crowded(Process const& process) noexcept {
        constexpr std::uint32_t crowd = 1024;
        return process.mailbox_length >= crowd;
    }
    [[nodiscard]] bool is_run_too_long(std::int64_t& deadline_ns) const noexcept;
    void consider_following(Process& process);
    [[nodiscard]] bool may_follow_receiver(Process const& process) const noexcept;
    void move_timers_out(Process& process) noexcept;
    void deliver_file_event(std::uint64_t watch_id, std::uint32_t events);

    unsigned m_index;
    bool m_is_simulated;
    FileDescriptor m_poller;
    FileDescriptor m_wake_event;
    RunQueue m_queue;
    /// The process woken last runs next: talkers stay in the cache.
    Process* m_hot = nullptr;
    unsigned m_hot_streak = 0;
    unsigned m_runs_to_measure = 1;
    bool m_was_run_long = false;
    /// The running process sends more than is handled: its receiver's turn comes first.
    bool m_is_crowding = false;
    // When processes were given away last, and how much they cost since.
    std::int64_t m_shared_ns = 0;
    std::int64_t m_sharing_pause_ns = 0;
    std::uint64_t m_shared_turns = 0;
    std::uint64_t m_crossings = 0;
    std::uint64_t m_next_sequence;
    std::int64_t m_last_file_poll_ns = 0;

    // Remote messages of the running handler, all to one process, newest first.
    Process* m_outgoing_target = nullptr;
    Envelope* m_outgoing_first = nullptr;
    Envelope* m_outgoing_last = nullptr;
    unsigned m_outgoing_count = 0;
    /// Since when, if the receiver has too many already; else 0.
    std::int64_t m_outgoing_since_ns = 0;

    std::vector<Process*> m_free_slots;
    /// Timer nodes are never given back to the system: an old Timer handle may still look at one.
    std::vector<std::unique_ptr<MessageTimer[]>> m_timer_slabs; // NOLINT(*-avoid-c-arrays): slabs
    MessageTimer* m_free_timers = nullptr;

    // Others write here.
    alignas(64) std::atomic<Process*> m_notified{nullptr};
    std::atomic<Process*> m_handed_over{nullptr};
    std::atomic<Seat*> m_returning{nullptr};
    std::atomic<Rest> m_rest{Rest::awake};
    std::atomic<bool> m_is_hungry{false};
    /// The clock of the thread that drives it; 0: none does.
    std::atomic<clockid_t> m_thread_clock{0};
};

} // namespace sinew::detail
