#include "core/timer_wheel.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace sinew::detail {
namespace {

constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

void make_empty(TimerLink& head) noexcept {
    head.next = &head;
    head.previous = &head;
}

bool is_empty(TimerLink const& head) noexcept {
    return head.next == &head;
}

void insert_before(TimerLink& position, TimerLink& node) noexcept {
    node.next = &position;
    node.previous = position.previous;
    position.previous->next = &node;
    position.previous = &node;
}

/// Every link but the heads is a node's.
TimerNode& node_of(TimerLink& link) noexcept {
    return static_cast<TimerNode&>(link);
}

bool is_earlier(TimerNode const& a, TimerNode const& b) noexcept {
    return a.due_ns != b.due_ns ? a.due_ns < b.due_ns : a.sequence < b.sequence;
}

/// The nodes from `first` on, which no longer know their previous ones, as the list of `head`.
void link_again(TimerLink& head, TimerLink* first) noexcept {
    TimerLink* previous = &head;
    for (TimerLink* link = first; link != nullptr; link = link->next) {
        link->previous = previous;
        previous->next = link;
        previous = link;
    }
    previous->next = &head;
    head.previous = previous;
}

/// The nodes of a list that isn't empty, the last one's next null; the list is empty afterwards.
TimerLink* take_all(TimerLink& head) noexcept {
    TimerLink* const first = head.next;
    head.previous->next = nullptr;
    make_empty(head);
    return first;
}

TimerLink* merged(TimerLink* a, TimerLink* b) noexcept {
    TimerLink first;
    TimerLink* last = &first;
    while (a != nullptr && b != nullptr) {
        TimerLink*& from = is_earlier(node_of(*b), node_of(*a)) ? b : a;
        last->next = from;
        last = from;
        from = from->next;
    }
    last->next = a != nullptr ? a : b;
    return first.next;
}

/// Natural merge sort: what is in order already is passed over once. Needs no memory.
TimerLink* sorted(TimerLink* rest) noexcept {
    std::array<TimerLink*, std::numeric_limits<std::size_t>::digits> runs{}; // The n-th of 2^n runs or none.
    while (rest != nullptr) {
        TimerLink* run = rest;
        TimerLink* last = run;
        while (last->next != nullptr && !is_earlier(node_of(*last->next), node_of(*last))) {
            last = last->next;
        }
        rest = std::exchange(last->next, nullptr);
        std::size_t size = 0;
        for (; runs.at(size) != nullptr; ++size) {
            run = merged(std::exchange(runs.at(size), nullptr), run);
        }
        runs.at(size) = run;
    }
    TimerLink* all = nullptr;
    for (TimerLink* const run : runs) {
        all = merged(run, all);
    }
    return all;
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

void TimerWheel::add(TimerNode& node) noexcept {
    place(node);
    ++m_size;
}

void TimerWheel::place(TimerNode& node) noexcept {
    std::uint64_t const tick =
        static_cast<std::uint64_t>(std::max<std::int64_t>(node.due_ns, 0)) >> tick_bits;
    if (tick <= m_tick) {
        insert_near(node);
        return;
    }
    std::size_t level = 0;
    while (block_of(tick, level) - block_of(m_tick, level) > 1) {
        ++level;
    }
    Slot const slot{level, tick >> (slot_bits * level)};
    insert_before(head_of(slot), node);
    m_levels[level].occupied[slot.index() / slots_per_block] |= std::uint64_t{1}
                                                                << (slot.index() % slots_per_block);
}

void TimerWheel::insert_near(TimerNode& node) noexcept {
    constexpr int longest_walk = 16;
    TimerLink* position = &m_near;
    int steps = 0;
    while (position->previous != &m_near && is_earlier(node, node_of(*position->previous))) {
        if (++steps > longest_walk) {
            insert_before(m_unsorted, node);
            return;
        }
        position = position->previous;
    }
    insert_before(*position, node);
}

void TimerWheel::sort_unsorted() noexcept {
    if (is_empty(m_unsorted)) {
        return;
    }
    TimerLink* const first = sorted(take_all(m_unsorted));
    link_again(m_near, merged(is_empty(m_near) ? nullptr : take_all(m_near), first));
}

void TimerWheel::remove(TimerNode& node) noexcept {
    TimerLink* const head = node.next;
    if (head == node.previous) {
        // It was alone. If `head` is a slot's, its bit goes.
        for (Level& level : m_levels) {
            TimerLink const* const first = level.heads.data();
            if (head >= first && head < first + slot_count) {
                auto const index = static_cast<std::size_t>(head - first);
                level.occupied[index / slots_per_block] &= ~(std::uint64_t{1} << (index % slots_per_block));
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

std::size_t TimerWheel::open(Slot slot, std::size_t limit) noexcept {
    TimerLink& head = head_of(slot);
    std::size_t moved = 0;
    TimerLink* link = head.next;
    for (; link != &head && moved < limit; ++moved) {
        TimerNode& node = node_of(*link);
        link = link->next;
        place(node);
    }
    head.next = link;
    link->previous = &head;
    if (link == &head) {
        m_levels[slot.level].occupied[slot.index() / slots_per_block] &=
            ~(std::uint64_t{1} << (slot.index() % slots_per_block));
    }
    return moved;
}

bool TimerWheel::prepare(std::size_t limit) noexcept {
    for (std::size_t level = 1; level < level_count && limit > 0; ++level) {
        Slot const next{level, (m_tick >> (slot_bits * level)) + 1};
        if (!is_empty(head_of(next))) {
            limit -= open(next, limit);
        }
    }
    return limit == 0;
}

// All of a level's nodes are in the blocks of now and next, behind the current tick.
std::optional<TimerWheel::Slot> TimerWheel::first_slot(std::size_t level) const noexcept {
    for (std::uint64_t block = block_of(m_tick, level); block <= block_of(m_tick, level) + 1; ++block) {
        if (std::uint64_t const word = m_levels[level].occupied[block % 2]; word != 0) {
            return Slot{level, block * slots_per_block + static_cast<std::uint64_t>(std::countr_zero(word))};
        }
    }
    return std::nullopt;
}

void TimerWheel::advance_to(std::uint64_t tick) noexcept {
    while (m_tick < tick) {
        std::optional<Slot> first;
        for (std::size_t level = 0; level < level_count; ++level) {
            // Of slots that begin together, the coarser one is opened first.
            if (auto const slot = first_slot(level);
                slot && (!first || slot->first_tick() <= first->first_tick())) {
                first = slot;
            }
        }
        if (!first || first->first_tick() > tick) {
            m_tick = tick;
            return;
        }
        // A coarse slot must be open before its first tick is the current one: what it has for that tick
        // belongs in a slot that is sorted.
        if (first->level > 0) {
            m_tick = first->first_tick() - 1;
            (void)open(*first, everything);
        } else {
            m_tick = first->first_tick();
            TimerLink& head = head_of(*first);
            link_again(head, sorted(take_all(head)));
            (void)open(*first, everything);
        }
    }
}

TimerNode* TimerWheel::pop_due(std::int64_t now_ns) noexcept {
    if (m_size == 0) {
        m_tick = std::max(m_tick, static_cast<std::uint64_t>(now_ns) >> tick_bits);
        return nullptr;
    }
    advance_to(static_cast<std::uint64_t>(now_ns) >> tick_bits);
    sort_unsorted();
    if (is_empty(m_near) || node_of(*m_near.next).due_ns > now_ns) {
        return nullptr;
    }
    TimerNode& first = node_of(*m_near.next);
    remove(first);
    return &first;
}

std::int64_t TimerWheel::first_due_in(Slot slot) noexcept {
    constexpr int longest_walk = 8;
    std::int64_t earliest = never;
    int steps = 0;
    TimerLink const& head = head_of(slot);
    for (TimerLink* link = head.next; link != &head; link = link->next) {
        if (++steps > longest_walk) {
            return static_cast<std::int64_t>(slot.first_tick() << tick_bits);
        }
        earliest = std::min(earliest, node_of(*link).due_ns);
    }
    return earliest;
}

std::int64_t TimerWheel::next_due() noexcept {
    sort_unsorted();
    if (!is_empty(m_near)) {
        return node_of(*m_near.next).due_ns;
    }
    std::int64_t earliest = never;
    for (std::size_t level = 0; level < level_count; ++level) {
        if (auto const slot = first_slot(level)) {
            earliest = std::min(earliest, first_due_in(*slot));
        }
    }
    return earliest;
}

} // namespace sinew::detail
