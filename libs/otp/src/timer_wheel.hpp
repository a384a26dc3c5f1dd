/// TimerWheel: set and cancel in constant time, fire in the exact order of (time, age).
///
/// Eight levels of 64 slots over ticks of 65.5 µs; the timers of the current tick are kept sorted, so that
/// nothing fires early and equal times fire in the order they were set. Those that would have to go far from
/// the end of that list wait, and are sorted in together. Invariant: every armed node is in exactly one list;
/// a slot's bit is set exactly when its list is not empty. Threading: belongs to one
/// worker.
#pragma once

#include <sinew/otp/detail/pending.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace sinew::detail {

class TimerWheel {
public:
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

    explicit TimerWheel(std::int64_t now_ns);
    TimerWheel(TimerWheel const&) = delete;
    TimerWheel& operator=(TimerWheel const&) = delete;
    TimerWheel(TimerWheel&&) = delete;
    TimerWheel& operator=(TimerWheel&&) = delete;
    ~TimerWheel() = default;

    /// Arms a node whose due_ns and sequence are set.
    void add(TimerNode& node);
    /// Disarms an armed node.
    void remove(TimerNode& node) noexcept;
    /// Disarms and returns the first node that is due at `now_ns`, or null.
    [[nodiscard]] TimerNode* pop_due(std::int64_t now_ns);
    /// When to look again: the first due time, or a moment before it; `never` when empty.
    [[nodiscard]] std::int64_t next_due();
    [[nodiscard]] std::size_t size() const noexcept { return m_size; }

private:
    static constexpr unsigned tick_bits = 16;
    static constexpr unsigned slot_bits = 6;
    static constexpr std::size_t slot_count = std::size_t{1} << slot_bits;
    static constexpr std::size_t level_count = 8;

    struct Level {
        std::uint64_t occupied = 0;
        std::array<TimerNode, slot_count> heads;
    };
    void place(TimerNode& node);
    void insert_near(TimerNode& node) noexcept;
    void sort_unsorted();
    void advance_to(std::uint64_t tick);
    void open_slot(std::size_t level, std::size_t slot);

    std::uint64_t m_tick;
    std::size_t m_size = 0;
    /// Due in the current tick or before: sorted.
    TimerNode m_near;
    /// Due as those in m_near; to be sorted into it before it is looked at.
    TimerNode m_unsorted;
    std::array<Level, level_count> m_levels;
    std::vector<TimerNode*> m_scratch;
};

} // namespace sinew::detail
