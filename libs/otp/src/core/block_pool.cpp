#include "core/block_pool.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

namespace sinew::detail {

BlockDepot& BlockDepot::of(std::size_t size_class) noexcept {
    static std::array<BlockDepot, block_classes> depots{BlockDepot(64), BlockDepot(128), BlockDepot(192),
                                                        BlockDepot(256)};
    return depots[size_class];
}

FreeBlock* BlockDepot::make_chain() {
    // A chain given back must never fail for want of memory.
    m_chains.reserve(m_slabs.size() + 2);
    m_slabs.push_back(std::make_unique_for_overwrite<std::byte[]>(chain_length * m_block_bytes + block_step));
    void* start = m_slabs.back().get();
    std::size_t space = chain_length * m_block_bytes + block_step;
    auto* const slab =
        static_cast<std::byte*>(std::align(block_step, chain_length * m_block_bytes, start, space));
    FreeBlock* first = nullptr;
    for (std::size_t i = chain_length; i-- > 0;) {
        first = ::new (slab + i * m_block_bytes) FreeBlock{first};
    }
    return first;
}

FreeBlock* BlockDepot::take_chain() {
    std::lock_guard const lock(m_mutex);
    if (m_chains.empty()) {
        return make_chain();
    }
    FreeBlock* const chain = m_chains.back();
    m_chains.pop_back();
    return chain;
}

void BlockDepot::give_chain(FreeBlock* first) noexcept {
    std::lock_guard const lock(m_mutex);
    m_chains.push_back(first);
}

FreeBlock* BlockDepot::take_one() {
    std::lock_guard const lock(m_mutex);
    if (m_singles == nullptr) {
        if (m_chains.empty()) {
            m_singles = make_chain();
        } else {
            m_singles = m_chains.back();
            m_chains.pop_back();
        }
    }
    return std::exchange(m_singles, m_singles->next);
}

void BlockDepot::give_one(FreeBlock* block) noexcept {
    std::lock_guard const lock(m_mutex);
    block->next = std::exchange(m_singles, block);
}

BlockPools::~BlockPools() {
    for (std::size_t size_class = 0; size_class < block_classes; ++size_class) {
        for (FreeBlock* block = m_pools[size_class].free; block != nullptr;) {
            BlockDepot::of(size_class).give_one(std::exchange(block, block->next));
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
