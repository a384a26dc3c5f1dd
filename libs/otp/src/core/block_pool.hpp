/// BlockPools: a worker's free blocks, by size; BlockDepot: where pools exchange chains of them.
///
/// Invariant: a block may be freed on another worker than it came from; a pool that grows past its limit
/// gives a whole chain back to the depot, so that one-way traffic doesn't grow memory. Threading: pools
/// belong to one thread; the depot locks. Memory is kept for the program's life.
#pragma once

#include <sinew/otp/detail/block.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace sinew::detail {

/// A free block.
struct FreeBlock {
    FreeBlock* next = nullptr;
};

/// Blocks of 64, 128, 192 and 256 bytes.
inline constexpr std::size_t block_step = 64;
inline constexpr std::size_t block_classes = block_limit / block_step;
[[nodiscard]] constexpr std::size_t block_class(std::size_t bytes) noexcept {
    return bytes == 0 ? 0 : (bytes - 1) / block_step;
}

/// Exchanges blocks of one size.
class BlockDepot {
public:
    static constexpr std::size_t chain_length = 256;
    [[nodiscard]] static BlockDepot& of(std::size_t size_class) noexcept;
    /// chain_length free blocks, linked by next.
    [[nodiscard]] FreeBlock* take_chain();
    void give_chain(FreeBlock* first) noexcept;
    /// One block, for threads without pools.
    [[nodiscard]] FreeBlock* take_one();
    void give_one(FreeBlock* block) noexcept;

private:
    explicit BlockDepot(std::size_t block_bytes) noexcept
        : m_block_bytes(block_bytes) {}
    [[nodiscard]] FreeBlock* make_chain();
    std::size_t m_block_bytes;
    std::mutex m_mutex;
    std::vector<std::unique_ptr<std::byte[]>> m_slabs; // NOLINT(*-avoid-c-arrays): slabs of raw memory
    std::vector<FreeBlock*> m_chains;
    FreeBlock* m_singles = nullptr;
};

class BlockPools {
public:
    BlockPools() = default;
    BlockPools(BlockPools const&) = delete;
    BlockPools& operator=(BlockPools const&) = delete;
    BlockPools(BlockPools&&) = delete;
    BlockPools& operator=(BlockPools&&) = delete;
    ~BlockPools();
    [[nodiscard]] void* take(std::size_t size_class) {
        Pool& pool = m_pools[size_class];
        if (pool.free == nullptr) [[unlikely]] {
            refill(size_class);
        }
        FreeBlock* const block = pool.free;
        pool.free = block->next;
        --pool.count;
        return block;
    }
    void give(void* memory, std::size_t size_class) noexcept {
        Pool& pool = m_pools[size_class];
        pool.free = ::new (memory) FreeBlock{pool.free};
        if (++pool.count >= 8 * BlockDepot::chain_length) [[unlikely]] {
            give_back(size_class);
        }
    }

private:
    struct Pool {
        FreeBlock* free = nullptr;
        std::size_t count = 0;
    };
    void refill(std::size_t size_class);
    void give_back(std::size_t size_class) noexcept;
    std::array<Pool, block_classes> m_pools;
};

} // namespace sinew::detail
