#include <sinew/otp/detail/epoch.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace sinew::detail {
namespace {

constinit std::atomic<ReaderSlot*> all_slots{nullptr};

/// Gives the thread's slot back when the thread ends.
struct SlotOwner {
    ReaderSlot* slot = nullptr;
    SlotOwner() = default;
    SlotOwner(SlotOwner const&) = delete;
    SlotOwner& operator=(SlotOwner const&) = delete;
    ~SlotOwner() {
        if (slot != nullptr) {
            t_reader_slot = nullptr;
            slot->is_taken.store(false, std::memory_order_release);
        }
    }
};
thread_local SlotOwner t_owner;

ReaderSlot& take_slot() {
    for (ReaderSlot* slot = all_slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next) {
        bool expected = false;
        if (!slot->is_taken.load(std::memory_order_relaxed) &&
            slot->is_taken.compare_exchange_strong(expected, true, std::memory_order_acq_rel)) {
            return *slot;
        }
    }
    auto* const slot = new ReaderSlot;
    slot->next = all_slots.load(std::memory_order_relaxed);
    while (!all_slots.compare_exchange_weak(slot->next, slot, std::memory_order_seq_cst,
                                            std::memory_order_relaxed)) {
    }
    return *slot;
}

/// What was retired in an epoch up to this one is out of every reader's sight.
std::uint64_t oldest_reader() noexcept {
    std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
    for (ReaderSlot const* slot = all_slots.load(std::memory_order_seq_cst); slot != nullptr;
         slot = slot->next) {
        std::uint64_t const epoch = slot->epoch.load(std::memory_order_seq_cst);
        if (epoch != 0) {
            oldest = std::min(oldest, epoch);
        }
    }
    return oldest;
}

} // namespace

ReaderSlot& register_reader() {
    t_owner.slot = &take_slot();
    t_reader_slot = t_owner.slot;
    return *t_owner.slot;
}

RetireList::~RetireList() {
    for (Retired const& retired : m_retired) {
        retired.destroy(retired.object);
    }
}

void RetireList::reserve(std::size_t count) {
    if (m_retired.capacity() - m_retired.size() < count) {
        m_retired.reserve(2 * m_retired.size() + count);
    }
}

void RetireList::retire(void* object, Destroy destroy) {
    m_retired.push_back({object, destroy, current_epoch.fetch_add(1, std::memory_order_seq_cst) + 1});
    if (m_retired.size() >= m_limit) {
        collect();
    }
}

void RetireList::collect() {
    std::uint64_t const oldest = oldest_reader();
    auto const kept =
        std::ranges::find_if(m_retired, [oldest](Retired const& retired) { return retired.epoch > oldest; });
    std::for_each(m_retired.begin(), kept, [](Retired const& retired) { retired.destroy(retired.object); });
    m_retired.erase(m_retired.begin(), kept);
    m_limit = std::max(first_limit, 2 * m_retired.size());
}

} // namespace sinew::detail
