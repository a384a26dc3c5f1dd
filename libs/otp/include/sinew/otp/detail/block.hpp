/// Blocks: memory for what comes and goes with messages and processes, from the worker's own pools.
///
/// Invariant: a block may be freed on any thread; sizes over block_limit, and all under the address
/// sanitizer, go to the global heap. Threading: any. Memory of pools goes back to the system when it has not been needed
/// for a while, and with the node.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace sinew::detail {

inline constexpr std::size_t block_limit = 256;

/// At least `bytes`, aligned to 16. Throws std::bad_alloc.
[[nodiscard]] void* allocate_block(std::size_t bytes);
/// `bytes` as it was asked for.
void free_block(void* block, std::size_t bytes) noexcept;

/// Gives a class its memory from blocks.
class InBlock {
public:
    static void* operator new(std::size_t bytes) { return allocate_block(bytes); }
    static void operator delete(void* block, std::size_t bytes) noexcept { free_block(block, bytes); }
};

/// A T in a block, whatever its class says about memory; over-aligned ones on the heap.
template<typename T, typename... Arguments>
[[nodiscard]] T* make_in_block(Arguments&&... arguments) {
    if constexpr (alignof(T) > 16) {
        return new T{std::forward<Arguments>(arguments)...};
    } else {
        void* const block = allocate_block(sizeof(T));
        try {
            return ::new (block) T{std::forward<Arguments>(arguments)...};
        } catch (...) {
            free_block(block, sizeof(T));
            throw;
        }
    }
}
template<typename T>
void destroy_in_block(T* object) noexcept {
    if constexpr (alignof(T) > 16) {
        delete object;
    } else {
        std::destroy_at(object);
        free_block(object, sizeof(T));
    }
}

/// For std::allocate_shared.
template<typename T>
class BlockAllocator {
public:
    using value_type = T; // NOLINT(readability-identifier-naming): the standard library's name
    BlockAllocator() = default;
    template<typename U>
    BlockAllocator(BlockAllocator<U> const& /*other*/) noexcept {} // NOLINT(google-explicit-constructor)
    [[nodiscard]] T* allocate(std::size_t count) {
        return static_cast<T*>(allocate_block(count * sizeof(T)));
    }
    void deallocate(T* block, std::size_t count) noexcept { free_block(block, count * sizeof(T)); }
    friend bool operator==(BlockAllocator const& /*a*/, BlockAllocator const& /*b*/) noexcept { return true; }
};

/// Like std::make_shared.
template<typename T, typename... Arguments>
[[nodiscard]] std::shared_ptr<T> make_shared_in_block(Arguments&&... arguments) {
    return std::allocate_shared<T>(BlockAllocator<T>(), std::forward<Arguments>(arguments)...);
}

} // namespace sinew::detail
