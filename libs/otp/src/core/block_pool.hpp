/// BlockPools: a worker's free blocks, by size; BlockDepot: where pools exchange chains of them, and where the
/// slabs that they are cut from come from and go back to.
///
/// Invariant: a block may be freed on another worker than it came from; a pool that grows past its limit
/// gives a whole chain back to the depot, so that one-way traffic doesn't grow memory. A block of the depot is
/// in a chain, or sorted: in its slab's own list; a slab whose blocks are all sorted goes back to the system.
/// Sorting costs a look at each block, so it is left to those who have nothing else to do (see
/// scheduler/give_back.hpp), and to the end of a node. Threading: pools belong to one thread; the depot locks.
#pragma once

#include <sinew/otp/detail/block.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

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
    static constexpr std::size_t slab_bytes = std::size_t{256} * 1024;
    explicit BlockDepot(std::size_t block_bytes) noexcept
        : m_block_bytes(block_bytes) {}
    [[nodiscard]] static BlockDepot& of(std::size_t size_class) noexcept;

    /// chain_length free blocks, linked by next. Throws std::bad_alloc.
    [[nodiscard]] FreeBlock* take_chain();
    void give_chain(FreeBlock* first) noexcept;
    /// One block, for threads without pools.
    [[nodiscard]] FreeBlock* take_one();
    void give_one(FreeBlock* block) noexcept;
    /// Sorts the blocks of a list of any length.
    void sort_in(FreeBlock* list) noexcept;
    /// Sorts one chain. False: there was none.
    bool trim() noexcept;
    /// Sorts all.
    void trim_all() noexcept;

    // Approximate while others are at work.

    /// In chains: not in use, and not sorted.
    [[nodiscard]] std::size_t idle_bytes() const noexcept {
        return m_chain_count.load(std::memory_order_relaxed) * chain_length * m_block_bytes;
    }
    /// Of all its slabs.
    [[nodiscard]] std::size_t mapped_bytes() const noexcept {
        return m_slab_count.load(std::memory_order_relaxed) * slab_bytes;
    }
    /// How often a chain was taken, ever.
    [[nodiscard]] std::uint64_t takes() const noexcept { return m_takes.load(std::memory_order_relaxed); }

private:
    /// At the beginning of its memory, which is aligned to slab_bytes.
    struct Slab {
        // Among those with sorted blocks.
        Slab* next = nullptr;
        Slab* previous = nullptr;
        /// The sorted ones.
        FreeBlock* free = nullptr;
        std::uint32_t free_count = 0;
        /// How many blocks it has been cut into so far.
        std::uint32_t cut = 0;
    };
    /// In the first block of each chain that waits here.
    struct Chain : FreeBlock {
        Chain* next_chain = nullptr;
    };
    [[nodiscard]] std::uint32_t blocks_in_slab() const noexcept {
        return static_cast<std::uint32_t>((slab_bytes - block_step) / m_block_bytes);
    }
    [[nodiscard]] FreeBlock* pop_chain() noexcept;
    [[nodiscard]] FreeBlock* make_chain();
    [[nodiscard]] FreeBlock* take_block();
    void sort(FreeBlock* list) noexcept;
    [[nodiscard]] Slab& map_slab();
    void link(Slab& slab) noexcept;
    void unlink(Slab const& slab) noexcept;
    void release(Slab& slab) noexcept;

    std::size_t m_block_bytes;
    std::mutex m_mutex;
    Chain* m_chains = nullptr;
    FreeBlock* m_singles = nullptr;
    Slab* m_sorted = nullptr;
    /// The one that is being cut.
    Slab* m_open = nullptr;
    std::atomic<std::size_t> m_chain_count{0};
    std::atomic<std::size_t> m_slab_count{0};
    std::atomic<std::uint64_t> m_takes{0};
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
    /// It has many more blocks than one refill brings.
    [[nodiscard]] bool has_excess() const noexcept;
    /// Gives all to the depots, sorted.
    void flush() noexcept;

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
