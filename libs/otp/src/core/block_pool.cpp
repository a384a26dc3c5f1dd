#include "core/block_pool.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

namespace sinew::detail {
namespace {

/// slab_bytes of fresh memory, aligned to as much.
std::byte* map_aligned() {
    constexpr std::size_t bytes = BlockDepot::slab_bytes;
    void* const mapped =
        ::mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) {
        throw std::bad_alloc();
    }
    auto* const begin = static_cast<std::byte*>(mapped);
    std::size_t const before = (bytes - reinterpret_cast<std::uintptr_t>(begin) % bytes) % bytes;
    if (before != 0) {
        (void)::munmap(begin, before);
    }
    (void)::munmap(begin + before + bytes, bytes - before);
    return begin + before;
}

} // namespace

BlockDepot& BlockDepot::of(std::size_t size_class) noexcept {
    static std::array<BlockDepot, block_classes> depots{BlockDepot(64), BlockDepot(128), BlockDepot(192),
                                                        BlockDepot(256)};
    return depots[size_class];
}

FreeBlock* BlockDepot::take_chain() {
    std::lock_guard const lock(m_mutex);
    m_takes.store(m_takes.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    FreeBlock* const chain = pop_chain();
    return chain != nullptr ? chain : make_chain();
}

void BlockDepot::give_chain(FreeBlock* first) noexcept {
    std::lock_guard const lock(m_mutex);
    FreeBlock* const second = first->next;
    m_chains = ::new (first) Chain{{second}, m_chains};
    m_chain_count.fetch_add(1, std::memory_order_relaxed);
}

FreeBlock* BlockDepot::take_one() {
    std::lock_guard const lock(m_mutex);
    if (m_singles == nullptr) {
        m_singles = pop_chain();
    }
    return m_singles != nullptr ? std::exchange(m_singles, m_singles->next) : take_block();
}

void BlockDepot::give_one(FreeBlock* block) noexcept {
    std::lock_guard const lock(m_mutex);
    block->next = std::exchange(m_singles, block);
}

void BlockDepot::sort_in(FreeBlock* list) noexcept {
    std::lock_guard const lock(m_mutex);
    sort(list);
}

bool BlockDepot::trim() noexcept {
    std::lock_guard const lock(m_mutex);
    FreeBlock* const chain = pop_chain();
    sort(chain);
    return chain != nullptr;
}

void BlockDepot::trim_all() noexcept {
    while (trim()) {
    }
    std::lock_guard const lock(m_mutex);
    sort(std::exchange(m_singles, nullptr));
}

FreeBlock* BlockDepot::pop_chain() noexcept {
    if (m_chains == nullptr) {
        return nullptr;
    }
    m_chain_count.fetch_sub(1, std::memory_order_relaxed);
    return std::exchange(m_chains, m_chains->next_chain);
}

FreeBlock* BlockDepot::make_chain() {
    FreeBlock* first = nullptr;
    FreeBlock** end = &first;
    try {
        for (std::size_t i = 0; i < chain_length; ++i) {
            *end = take_block();
            end = &(*end)->next;
        }
    } catch (...) {
        *end = nullptr;
        sort(first);
        throw;
    }
    *end = nullptr;
    return first;
}

FreeBlock* BlockDepot::take_block() {
    if (m_sorted != nullptr) {
        Slab& slab = *m_sorted;
        if (--slab.free_count == 0) {
            unlink(slab);
        }
        return std::exchange(slab.free, slab.free->next);
    }
    if (m_open == nullptr || m_open->cut == blocks_in_slab()) {
        m_open = &map_slab();
    }
    std::byte* const start = reinterpret_cast<std::byte*>(m_open) + block_step;
    return ::new (start + m_open->cut++ * m_block_bytes) FreeBlock;
}

void BlockDepot::sort(FreeBlock* list) noexcept {
    while (list != nullptr) {
        FreeBlock* const block = std::exchange(list, list->next);
        auto* const start =
            reinterpret_cast<std::byte*>(block) - reinterpret_cast<std::uintptr_t>(block) % slab_bytes;
        Slab& slab = *std::launder(reinterpret_cast<Slab*>(start));
        block->next = std::exchange(slab.free, block);
        if (slab.free_count++ == 0) {
            link(slab);
        }
        if (slab.free_count == slab.cut) {
            release(slab);
        }
    }
}

BlockDepot::Slab& BlockDepot::map_slab() {
    static_assert(sizeof(Slab) <= block_step);
    Slab& slab = *::new (map_aligned()) Slab;
    m_slab_count.fetch_add(1, std::memory_order_relaxed);
    return slab;
}

void BlockDepot::link(Slab& slab) noexcept {
    slab.previous = nullptr;
    slab.next = std::exchange(m_sorted, &slab);
    if (slab.next != nullptr) {
        slab.next->previous = &slab;
    }
}

void BlockDepot::unlink(Slab const& slab) noexcept {
    (slab.previous != nullptr ? slab.previous->next : m_sorted) = slab.next;
    if (slab.next != nullptr) {
        slab.next->previous = slab.previous;
    }
}

void BlockDepot::release(Slab& slab) noexcept {
    unlink(slab);
    if (m_open == &slab) {
        m_open = nullptr;
    }
    m_slab_count.fetch_sub(1, std::memory_order_relaxed);
    (void)::munmap(&slab, slab_bytes);
}

BlockPools::~BlockPools() {
    flush();
}

bool BlockPools::has_excess() const noexcept {
    return std::ranges::any_of(m_pools,
                               [](Pool const& pool) { return pool.count > 2 * BlockDepot::chain_length; });
}

void BlockPools::flush() noexcept {
    for (std::size_t size_class = 0; size_class < block_classes; ++size_class) {
        if (m_pools[size_class].free != nullptr) {
            BlockDepot::of(size_class).sort_in(std::exchange(m_pools[size_class], {}).free);
        }
    }
}

void BlockPools::refill(std::size_t size_class) {
    m_pools[size_class] = {BlockDepot::of(size_class).take_chain(), BlockDepot::chain_length};
}

void BlockPools::give_back(std::size_t size_class) noexcept {
    Pool& pool = m_pools[size_class];
    FreeBlock* const first = pool.free;
    FreeBlock* last = first;
    for (std::size_t i = 1; i < BlockDepot::chain_length; ++i) {
        last = last->next;
    }
    pool.free = std::exchange(last->next, nullptr);
    pool.count -= BlockDepot::chain_length;
    BlockDepot::of(size_class).give_chain(first);
}

} // namespace sinew::detail
