#include "scheduler/seat.hpp"

#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/worker.hpp"
#include "crash/alternate_stack.hpp"
#include "scheduler/run_loop.hpp"
#include "scheduler/thread_scheduling.hpp"

#include <sinew/base/may_block.hpp>

#include <execinfo.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sinew::detail {
namespace {

/// Ignored by default, and of no use to programs without out-of-band data: a stray one does no harm.
constexpr int interrupt_signal = SIGURG;

void on_interrupt(int /*signal*/) {
    int const saved_errno = errno;
    if (Seat* const seat = t_context.seat) {
        seat->note_stack();
    }
    errno = saved_errno;
}

void install_signal_handler() {
    static std::once_flag once;
    std::call_once(once, [] {
        // The first use loads a library; not in a signal handler.
        void* frame = nullptr;
        (void)backtrace(&frame, 1);
        struct sigaction action{};
        action.sa_handler = &on_interrupt;
        action.sa_flags = SA_RESTART;
        (void)sigaction(interrupt_signal, &action, nullptr);
    });
}

} // namespace

Seat::~Seat() = default;

void Seat::start() {
    install_signal_handler();
    m_thread = std::thread([this] { run(); });
    std::atomic<Seat*>& first = worker().core.seats;
    m_next = first.load(std::memory_order_relaxed);
    while (!first.compare_exchange_weak(m_next, this, std::memory_order_release, std::memory_order_relaxed)) {
    }
}

void Seat::run() {
    crash::AlternateStack const stack_for_signals;
    m_thread_id.store(static_cast<pid_t>(syscall(SYS_gettid)), std::memory_order_release);
    t_context.seat = this;
    MustNotBlock const scope("a scheduler thread");
    for (;;) {
        State state = m_state.load(std::memory_order_acquire);
        while (state == State::spare) {
            m_state.wait(state, std::memory_order_acquire);
            state = m_state.load(std::memory_order_acquire);
        }
        if (state == State::leaving || m_loop->run() == RunLoop::End::stopping) {
            return;
        }
        hand_worker_back();
    }
}

void Seat::hand_worker_back() noexcept {
    Worker& own = worker();
    Seat* const back = own.returning.load(std::memory_order_acquire);
    // Only this thread takes from the list; others put in front.
    Seat* expected = back;
    if (!own.returning.compare_exchange_strong(expected, back->m_next_returning, std::memory_order_acq_rel)) {
        Seat* before = expected;
        while (before->m_next_returning != back) {
            before = before->m_next_returning;
        }
        before->m_next_returning = back->m_next_returning;
    }
    own.driver.store(back, std::memory_order_release);
    RunLoop& loop = *m_loop;
    m_state.store(State::spare, std::memory_order_release);
    back->drive(loop);
}

void Seat::drive(RunLoop& loop) noexcept {
    m_loop = &loop;
    m_state.store(State::driving, std::memory_order_release);
    m_state.notify_all();
}

void Seat::release() noexcept {
    State expected = State::spare;
    if (m_state.compare_exchange_strong(expected, State::leaving, std::memory_order_acq_rel)) {
        m_state.notify_all();
    }
}

void Seat::join() {
    if (m_thread.joinable()) {
        m_thread.join();
    }
}

std::int64_t Seat::cpu_time_ns() const noexcept {
    pid_t const thread_id = m_thread_id.load(std::memory_order_acquire);
    if (thread_id == 0) {
        return 0;
    }
    // The kernel's form of a thread's clock (CPUCLOCK_SCHED | CPUCLOCK_PERTHREAD).
    constexpr int per_thread_schedule = 6;
    auto const clock = static_cast<clockid_t>((~static_cast<unsigned>(thread_id) << 3) | per_thread_schedule);
    timespec time{};
    clock_gettime(clock, &time);
    constexpr std::int64_t second_ns = 1'000'000'000;
    return time.tv_sec * second_ns + time.tv_nsec;
}

bool Seat::interrupt(bool must_leave) noexcept {
    m_has_answered.store(false, std::memory_order_relaxed);
    m_is_asked_to_leave.store(must_leave, std::memory_order_release);
    if (syscall(SYS_tgkill, getpid(), m_thread_id.load(std::memory_order_acquire), interrupt_signal) != 0) {
        return false;
    }
    constexpr int longest_wait_steps = 200;
    for (int i = 0; i < longest_wait_steps; ++i) {
        if (m_has_answered.load(std::memory_order_acquire) && (!must_leave || state() != State::driving)) {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    return m_has_answered.load(std::memory_order_acquire);
}

void Seat::note_stack() noexcept {
    m_stack_depth = backtrace(m_stack.data(), static_cast<int>(m_stack.size()));
    if (m_is_asked_to_leave.exchange(false, std::memory_order_acq_rel) && t_context.worker != nullptr) {
        if (t_context.is_in_handler) {
            leave_worker();
        } else if (t_context.process != nullptr) {
            t_context.must_leave = true;
        }
    }
    m_has_answered.store(true, std::memory_order_release);
}

std::vector<void*> Seat::stack() const {
    // The first ones are the signal's.
    constexpr int own_frames = 3;
    return {m_stack.begin() + std::min(own_frames, m_stack_depth), m_stack.begin() + m_stack_depth};
}

void Seat::set_displaced(Process const* process, MessageOps const* handling) noexcept {
    m_alone.handling = handling;
    m_alone.left_at_cpu_ns = cpu_time_ns();
    m_alone.process = process;
    m_state.store(State::displaced, std::memory_order_release);
}

bool Seat::is_asleep() const {
    std::ifstream file("/proc/self/task/" + std::to_string(m_thread_id.load(std::memory_order_acquire)) +
                       "/stat");
    std::string line;
    std::getline(file, line);
    // The state follows the name, which is in parentheses and may contain any.
    std::size_t const at = line.rfind(") ");
    return at != std::string::npos && at + 2 < line.size() && line[at + 2] != 'R';
}

bool Seat::set_replaced(Worker const& from) noexcept {
    State expected = State::displaced;
    if (!m_state.compare_exchange_strong(expected, State::replaced)) {
        return false;
    }
    pid_t const thread_id = m_thread_id.load(std::memory_order_acquire);
    set_policy(thread_id, SCHED_IDLE);
    if (m_state.load() != State::replaced) {
        // It came back at this moment, and may have set its own before.
        restore_policy(thread_id, from);
    }
    return true;
}

void Seat::wait_for_worker() noexcept {
    for (State expected = State::replaced; !m_state.compare_exchange_strong(expected, State::returning);
         expected = State::replaced) {
        expected = State::displaced;
        if (m_state.compare_exchange_strong(expected, State::driving)) {
            return; // Nobody else drives it yet.
        }
    }
    // Not to hold the worker up at the lowest priority. Without the right to rise it stays there.
    set_policy(0, SCHED_OTHER);
    set_scheduling_for(worker());
    ask_for_worker();
    while (m_state.load(std::memory_order_acquire) == State::returning) {
        m_state.wait(State::returning, std::memory_order_acquire);
    }
}

void Seat::ask_for_worker() noexcept {
    Worker& own = worker();
    Seat* head = own.returning.load(std::memory_order_relaxed);
    do {
        m_next_returning = head;
    } while (!own.returning.compare_exchange_weak(head, this, std::memory_order_seq_cst,
                                                  std::memory_order_relaxed));
    own.wake();
}

Worker& Seat::worker() const noexcept {
    return m_loop->worker;
}

// A signal that finds the thread outside of its handler takes nothing from it: what follows isn't interrupted by
// the same. It may have come just before.
void leave_worker() noexcept {
    t_context.is_in_handler = false;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    Worker* const worker = std::exchange(t_context.worker, nullptr);
    MessageOps const* const handling = worker != nullptr ? worker->handling.get() : nullptr;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    t_context.must_leave = false;
    if (worker != nullptr) {
        // What it sent goes before what it sends from now on.
        worker->flush_remote();
        t_context.seat->set_displaced(t_context.process, handling);
    }
    std::atomic_signal_fence(std::memory_order_seq_cst);
    t_context.is_in_handler = true;
}

void take_worker_back() noexcept {
    Seat& seat = *t_context.seat;
    seat.wait_for_worker();
    Worker& worker = seat.worker();
    t_context.worker = &worker;
    worker.running = t_context.process;
    worker.handling = seat.come_back();
    worker.turns += 1;
}

} // namespace sinew::detail
