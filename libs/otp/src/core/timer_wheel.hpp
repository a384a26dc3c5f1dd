/// TimerWheel: set and cancel in constant time, fire in the exact order of (time, age).
///
/// Eight levels over ticks of 65.5 µs. A level has 64 slots for its current block of time and 64 for the next
/// one, so that the slot of a higher level may be opened, that is, its timers moved to finer slots, a little
/// at a time and before its time comes: a million timers hold nobody up. The timers of the current tick are
/// kept sorted, so that nothing fires early and equal times fire in the order they were set. Those that would
/// have to go far from the end of that list wait, and are sorted in together. Invariant: every armed node is
/// in exactly one list; a slot's bit is set exactly when its list is not empty; no slot that is not empty
/// begins at the current tick or before. Threading: belongs to one worker.
#pragma once

#include <sinew/otp/detail/pending.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace sinew::detail {

class TimerWheel {
public:
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

    /// The time `delay_ns` after now, or the last one before `never`; now, if the delay is negative.
    [[nodiscard]] static constexpr std::int64_t time_after(std::int64_t now_ns,
                                                           std::int64_t delay_ns) noexcept {
        return delay_ns > never - 1 - now_ns ? never - 1 : now_ns + std::max<std::int64_t>(delay_ns, 0);
    }

    explicit TimerWheel(std::int64_t now_ns);
    TimerWheel(TimerWheel const&) = delete;
    TimerWheel& operator=(TimerWheel const&) = delete;
    TimerWheel(TimerWheel&&) = delete;
    TimerWheel& operator=(TimerWheel&&) = delete;
    ~TimerWheel() = default;

    /// Arms a node whose due_ns and sequence are set.
    void add(TimerNode& node) noexcept;
    /// Disarms an armed node.
    void remove(TimerNode& node) noexcept;
    /// Disarms and returns the first node that is due at `now_ns`, or null.
    [[nodiscard]] TimerNode* pop_due(std::int64_t now_ns) noexcept;
    /// Opens slots ahead of their time: moves at most `limit` nodes. False: nothing was left to do.
    bool prepare(std::size_t limit) noexcept;
    /// When to look again: the first due time, or a moment before it; `never` when empty.
    [[nodiscard]] std::int64_t next_due() noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return m_size; }

private:
    static constexpr unsigned tick_bits = 16;
    static constexpr unsigned slot_bits = 6;
    static constexpr std::size_t slots_per_block = std::size_t{1} << slot_bits;
    static constexpr std::size_t slot_count = 2 * slots_per_block;
    static constexpr std::size_t level_count = 8;

    struct Level {
        /// One word for each of the two blocks.
        std::array<std::uint64_t, 2> occupied{};
        std::array<TimerLink, slot_count> heads;
    };
    /// A slot by the number of slots of its level since time 0.
    struct Slot {
        std::size_t level;
        std::uint64_t number;
        [[nodiscard]] std::size_t index() const noexcept { return number % slot_count; }
        [[nodiscard]] std::uint64_t first_tick() const noexcept { return number << (slot_bits * level); }
    };
    [[nodiscard]] static std::uint64_t block_of(std::uint64_t tick, std::size_t level) noexcept {
        return level + 1 < level_count ? tick >> (slot_bits * (level + 1)) : 0;
    }
    [[nodiscard]] TimerLink& head_of(Slot slot) noexcept { return m_levels[slot.level].heads[slot.index()]; }
    void place(TimerNode& node) noexcept;
    void insert_near(TimerNode& node) noexcept;
    void sort_unsorted() noexcept;
    void advance_to(std::uint64_t tick) noexcept;
    [[nodiscard]] std::optional<Slot> first_slot(std::size_t level) const noexcept;
    [[nodiscard]] std::int64_t first_due_in(Slot slot) noexcept;
    /// Moves at most `limit` nodes of the slot to finer ones. Returns how many.
    std::size_t open(Slot slot, std::size_t limit) noexcept;

    std::uint64_t m_tick;
    std::size_t m_size = 0;
    /// Due in the current tick or before: sorted.
    TimerLink m_near;
    /// Due as those in m_near; to be sorted into it before it is looked at.
    TimerLink m_unsorted;
    std::array<Level, level_count> m_levels;
};

} // namespace sinew::detail
