#include "core/slot_depot.hpp"

#include "core/process.hpp"

#include <sinew/otp/pid.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace sinew::detail {

SlotDepot::SlotDepot()
    : m_chunks(std::make_unique<std::atomic<Process*>[]>(chunk_count)) {}

SlotDepot::~SlotDepot() {
    for (std::size_t chunk = 0; chunk < m_used_chunks; ++chunk) {
        delete[] m_chunks[chunk].load(std::memory_order_relaxed);
    }
}

void SlotDepot::make_chunk(Worker& owner) {
    if (m_used_chunks == chunk_count) {
        throw std::runtime_error("no more processes: all 16777216 records of this node are in use");
    }
    m_spare.reserve((m_used_chunks + 1) * chunk_size);
    auto* const chunk = new Process[chunk_size];
    for (std::size_t i = chunk_size; i-- > 0;) {
        chunk[i].identity.store(Pid(m_used_chunks * chunk_size + i, 1).value() | Process::free_bit,
                                std::memory_order_relaxed);
        chunk[i].owner.store(&owner, std::memory_order_relaxed);
        m_spare.push_back(&chunk[i]);
    }
    m_chunks[m_used_chunks].store(chunk, std::memory_order_release);
    ++m_used_chunks;
}

bool SlotDepot::take_spare(Worker& owner, std::vector<Process*>& into, std::size_t count) {
    std::size_t const before = into.size();
    std::size_t at = m_spare.size();
    while (at > 0 && into.size() - before < count) {
        --at;
        Process& process = *m_spare[at];
        Worker* const previous = process.owner.load(std::memory_order_relaxed);
        if (previous != &owner) {
            process.owner.store(&owner, std::memory_order_seq_cst);
            if (process.is_notified.load(std::memory_order_seq_cst)) {
                process.owner.store(previous, std::memory_order_seq_cst);
                continue;
            }
        }
        into.push_back(&process);
        m_spare[at] = m_spare.back();
        m_spare.pop_back();
    }
    return into.size() > before;
}

void SlotDepot::take(Worker& owner, std::vector<Process*>& into, std::size_t count) {
    std::lock_guard const lock(m_mutex);
    if (!take_spare(owner, into, count)) {
        make_chunk(owner);
        (void)take_spare(owner, into, count);
    }
}

void SlotDepot::give(std::vector<Process*>& from, std::size_t count) noexcept {
    std::lock_guard const lock(m_mutex);
    for (; count != 0; --count) {
        m_spare.push_back(from.back());
        from.pop_back();
    }
}

} // namespace sinew::detail
