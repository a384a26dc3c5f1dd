// Blocks for messages, handlers and records: from the pools of this thread's worker, if it has one.
#include "core/block_pool.hpp"
#include "core/context.hpp"
#include "core/worker.hpp"

#include <sinew/otp/detail/block.hpp>
#include <sinew/otp/detail/envelope.hpp>

#include <cstddef>
#include <new>

// Each compiler tells it in its own way.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SINEW_WATCHED_BLOCKS
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SINEW_WATCHED_BLOCKS
#endif

namespace sinew::detail {

#if defined(SINEW_WATCHED_BLOCKS)
// Each block is an allocation of its own, so that misuse is seen.
void* allocate_block(std::size_t bytes) {
    return ::operator new(bytes);
}
void free_block(void* block, std::size_t bytes) noexcept {
    ::operator delete(block, bytes);
}
#else
void* allocate_block(std::size_t bytes) {
    if (bytes > block_limit) {
        return ::operator new(bytes);
    }
    std::size_t const size_class = block_class(bytes);
    RuntimeScope const scope;
    Worker* const worker = t_context.worker;
    return worker != nullptr ? worker->blocks.take(size_class) : BlockDepot::of(size_class).take_one();
}
void free_block(void* block, std::size_t bytes) noexcept {
    if (bytes > block_limit) {
        ::operator delete(block, bytes);
        return;
    }
    std::size_t const size_class = block_class(bytes);
    RuntimeScope const scope;
    if (Worker* const worker = t_context.worker) {
        worker->blocks.give(block, size_class);
    } else {
        BlockDepot::of(size_class).give_one(::new (block) FreeBlock);
    }
}
#endif

Envelope* allocate_envelope() {
    return ::new (allocate_block(sizeof(Envelope))) Envelope;
}
void free_envelope(Envelope* envelope) noexcept {
    free_block(envelope, sizeof(Envelope));
}

} // namespace sinew::detail
