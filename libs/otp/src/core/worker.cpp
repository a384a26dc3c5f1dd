#include "core/worker.hpp"

#include "core/node_core.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>

namespace sinew::detail {
namespace {

constexpr unsigned sequence_bits = 48;

} // namespace

Worker::Worker(NodeCore& node_core, unsigned worker_index)
    : core(node_core)
    , queue(node_core.is_simulated() ? RunQueue::PickedBy::chooser : RunQueue::PickedBy::order)
    , timers(node_core.now_ns())
    , m_index(worker_index)
    , m_is_simulated(node_core.is_simulated())
    , m_next_sequence((static_cast<std::uint64_t>(worker_index) << sequence_bits) + 1) {}

Worker::~Worker() = default;

bool Worker::is_real_time() const noexcept {
    return core.real_time_worker == this;
}

std::int64_t Worker::busy_ns() const noexcept {
    clockid_t const clock = thread_clock.load(std::memory_order_relaxed);
    timespec time{};
    if (clock == 0 || clock_gettime(clock, &time) != 0) {
        return 0;
    }
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void Worker::send_remote(Process& process, Pid pid, Envelope* envelope) {
    if (!outgoing.is_for(process)) {
        flush_remote();
        outgoing.begin(process, envelope);
        if (process.is_flooded()) [[unlikely]] {
            outgoing.note_flood(core.now_ns());
            is_flooding = true;
        }
    }
    outgoing.add(pid, envelope);
}

void Worker::put_outgoing_down() {
    Process& process = outgoing.target();
    if (outgoing.put_down(m_index)) {
        process.owner.load(std::memory_order_acquire)->notify(process);
    }
}

Process& Worker::take_slot() {
    if (m_free_slots.empty()) {
        core.slots.take(*this, m_free_slots, 64);
    }
    Process& process = *m_free_slots.back();
    m_free_slots.pop_back();
    return process;
}

void Worker::give_slot(Process& process) noexcept {
    m_free_slots.push_back(&process);
    // A real-time worker makes none itself.
    std::size_t const most = is_real_time() ? 64 : 4096;
    if (m_free_slots.size() >= most) {
        core.slots.give(m_free_slots, most / 2);
    }
}

} // namespace sinew::detail
