#include "timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sinew::detail {
namespace {

void make_empty(TimerNode& head) noexcept {
    head.next = &head;
    head.previous = &head;
}

void insert_before(TimerNode& position, TimerNode& node) noexcept {
    node.next = &position;
    node.previous = position.previous;
    position.previous->next = &node;
    position.previous = &node;
}

bool is_earlier(TimerNode const& a, TimerNode const& b) noexcept {
    return a.due_ns != b.due_ns ? a.due_ns < b.due_ns : a.sequence < b.sequence;
}

bool is_pointee_earlier(TimerNode const* a, TimerNode const* b) noexcept {
    return is_earlier(*a, *b);
}

/// Moves a list's nodes behind those in `into`.
void take_all(TimerNode& head, std::vector<TimerNode*>& into) {
    for (TimerNode* node = head.next; node != &head; node = node->next) {
        into.push_back(node);
    }
    make_empty(head);
}

} // namespace

TimerWheel::TimerWheel(std::int64_t now_ns)
    : m_tick(static_cast<std::uint64_t>(now_ns) >> tick_bits) {
    make_empty(m_near);
    make_empty(m_unsorted);
    for (Level& level : m_levels) {
        std::ranges::for_each(level.heads, make_empty);
    }
}

void TimerWheel::add(TimerNode& node) {
    place(node);
    ++m_size;
}

void TimerWheel::place(TimerNode& node) {
    std::uint64_t const tick =
        static_cast<std::uint64_t>(std::max<std::int64_t>(node.due_ns, 0)) >> tick_bits;
    if (tick <= m_tick) {
        insert_near(node);
        return;
    }
    auto const level_index = static_cast<std::size_t>(std::bit_width(tick ^ m_tick) - 1) / slot_bits;
    Level& level = m_levels.at(level_index);
    std::size_t const slot = (tick >> (slot_bits * level_index)) & (slot_count - 1);
    insert_before(level.heads[slot], node);
    level.occupied |= std::uint64_t{1} << slot;
}

void TimerWheel::insert_near(TimerNode& node) noexcept {
    constexpr int longest_walk = 16;
    TimerNode* position = &m_near;
    int steps = 0;
    while (position->previous != &m_near && is_earlier(node, *position->previous)) {
        if (++steps > longest_walk) {
            insert_before(m_unsorted, node);
            return;
        }
        position = position->previous;
    }
    insert_before(*position, node);
}

void TimerWheel::sort_unsorted() {
    if (m_unsorted.next == &m_unsorted) {
        return;
    }
    take_all(m_unsorted, m_scratch);
    std::size_t const unsorted_count = m_scratch.size();
    std::ranges::sort(m_scratch, is_pointee_earlier);
    take_all(m_near, m_scratch);
    std::ranges::inplace_merge(m_scratch, m_scratch.begin() + static_cast<std::ptrdiff_t>(unsorted_count),
                               is_pointee_earlier);
    for (TimerNode* const node : m_scratch) {
        insert_before(m_near, *node);
    }
    m_scratch.clear();
}

void TimerWheel::remove(TimerNode& node) noexcept {
    TimerNode* const head = node.next;
    if (head == node.previous && head != &m_near) {
        // It was alone: `head` is a slot's head. Clear the bit of that slot.
        for (Level& level : m_levels) {
            TimerNode const* const first = level.heads.data();
            if (head >= first && head < first + slot_count) {
                level.occupied &= ~(std::uint64_t{1} << static_cast<unsigned>(head - first));
                break;
            }
        }
    }
    node.next->previous = node.previous;
    node.previous->next = node.next;
    node.next = nullptr;
    node.previous = nullptr;
    --m_size;
}

void TimerWheel::open_slot(std::size_t level_index, std::size_t slot) {
    Level& level = m_levels[level_index];
    level.occupied &= ~(std::uint64_t{1} << slot);
    TimerNode& head = level.heads[slot];
    take_all(head, m_scratch);
    if (level_index == 0 && m_scratch.size() > 1) {
        std::ranges::sort(m_scratch, is_pointee_earlier);
    }
    for (TimerNode* const node : m_scratch) {
        place(*node);
    }
    m_scratch.clear();
}

void TimerWheel::advance_to(std::uint64_t tick) {
    while (m_tick < tick) {
        std::size_t level = 0;
        while (level < level_count && m_levels[level].occupied == 0) {
            ++level;
        }
        if (level == level_count) {
            m_tick = tick;
            return;
        }
        auto const slot = static_cast<std::size_t>(std::countr_zero(m_levels[level].occupied));
        unsigned const shift = static_cast<unsigned>(slot_bits * level);
        std::uint64_t const block =
            shift + slot_bits < 64 ? m_tick >> (shift + slot_bits) << (shift + slot_bits) : 0;
        std::uint64_t const slot_tick = block | static_cast<std::uint64_t>(slot) << shift;
        if (slot_tick > tick) {
            m_tick = tick;
            return;
        }
        m_tick = slot_tick;
        open_slot(level, slot);
    }
}

TimerNode* TimerWheel::pop_due(std::int64_t now_ns) {
    if (m_size == 0) {
        m_tick = std::max(m_tick, static_cast<std::uint64_t>(now_ns) >> tick_bits);
        return nullptr;
    }
    advance_to(static_cast<std::uint64_t>(now_ns) >> tick_bits);
    sort_unsorted();
    TimerNode* const first = m_near.next;
    if (first == &m_near || first->due_ns > now_ns) {
        return nullptr;
    }
    remove(*first);
    return first;
}

std::int64_t TimerWheel::next_due() {
    sort_unsorted();
    if (m_near.next != &m_near) {
        return m_near.next->due_ns;
    }
    for (Level const& level : m_levels) {
        if (level.occupied == 0) {
            continue;
        }
        TimerNode const& head = level.heads[static_cast<std::size_t>(std::countr_zero(level.occupied))];
        std::int64_t earliest = never;
        for (TimerNode const* node = head.next; node != &head; node = node->next) {
            earliest = std::min(earliest, node->due_ns);
        }
        return earliest;
    }
    return never;
}

} // namespace sinew::detail
