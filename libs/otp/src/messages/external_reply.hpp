/// ExternalReply: where the answer to a thread outside the scheduler is put.
///
/// Invariant: shared by the waiting thread and the ReplyPath; an answer that comes after the thread gave up
/// is freed. Threading: locks.
#pragma once

#include <sinew/otp/detail/envelope.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace sinew::detail {

struct ExternalReply {
    std::atomic<int> references{2};
    std::mutex mutex;
    std::condition_variable changed;
    Envelope* reply = nullptr;
    bool has_given_up = false;

    /// Takes the reply; frees it when nobody waits any more.
    void put(Envelope* envelope) noexcept;
    void release() noexcept {
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delete this;
        }
    }
};

/// Bits of a reference: who asked.
inline constexpr std::uint64_t external_bit = std::uint64_t{1} << 63;
inline constexpr unsigned node_index_shift = 57;
inline constexpr std::uint64_t node_index_mask = 63;

} // namespace sinew::detail
