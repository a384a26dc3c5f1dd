/// TimerPool: a worker's free timers of messages.
///
/// Invariant: their memory is never given back to the system: an old Timer handle may still look at one.
/// Threading: belongs to one worker; a timer may return to another one's pool than it came from.
#pragma once

#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/pending.hpp>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace sinew::detail {

/// In its process's list while it is armed.
struct MessageTimer : TimerNode {
    MessageTimer* next_timer = nullptr;
    MessageTimer* previous_timer = nullptr;
    Process* process = nullptr;
    Envelope* envelope = nullptr;
};

class TimerPool {
public:
    [[nodiscard]] MessageTimer& take() {
        if (m_free == nullptr) [[unlikely]] {
            add_slab();
        }
        return *std::exchange(m_free, m_free->next_timer);
    }
    void give(MessageTimer& timer) noexcept {
        timer.previous_timer = nullptr;
        timer.next_timer = std::exchange(m_free, &timer);
    }

private:
    void add_slab() {
        constexpr std::size_t slab_size = 256;
        m_slabs.push_back(std::make_unique<MessageTimer[]>(slab_size));
        for (std::size_t i = 0; i < slab_size; ++i) {
            give(m_slabs.back()[i]);
        }
    }
    std::vector<std::unique_ptr<MessageTimer[]>> m_slabs; // NOLINT(*-avoid-c-arrays): slabs
    MessageTimer* m_free = nullptr;
};

} // namespace sinew::detail
