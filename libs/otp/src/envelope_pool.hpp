/// EnvelopePool: a worker's free envelopes; EnvelopeDepot: where pools exchange chains of them.
///
/// Invariant: an envelope may be freed on another worker than it came from; a pool that grows past its limit
/// gives a whole chain back to the depot, so that one-way traffic doesn't grow memory. Threading: a pool
/// belongs to one thread; the depot locks. Memory is kept for the program's life.
#pragma once

#include <sinew/otp/detail/envelope.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace sinew::detail {

class EnvelopeDepot {
public:
    static constexpr std::size_t chain_length = 512;
    [[nodiscard]] static EnvelopeDepot& instance() noexcept;
    /// A chain of free envelopes, linked by next; its length is chain_length.
    [[nodiscard]] Envelope* take_chain();
    void give_chain(Envelope* first) noexcept;
    /// One envelope, for threads without a pool.
    [[nodiscard]] Envelope* take_one();
    void give_one(Envelope* envelope) noexcept;

private:
    [[nodiscard]] Envelope* make_chain();
    std::mutex m_mutex;
    std::vector<std::unique_ptr<Envelope[]>> m_slabs; // NOLINT(*-avoid-c-arrays): slabs of envelopes
    std::vector<Envelope*> m_chains;
    Envelope* m_singles = nullptr;
};

class EnvelopePool {
public:
    EnvelopePool() = default;
    EnvelopePool(EnvelopePool const&) = delete;
    EnvelopePool& operator=(EnvelopePool const&) = delete;
    EnvelopePool(EnvelopePool&&) = delete;
    EnvelopePool& operator=(EnvelopePool&&) = delete;
    ~EnvelopePool();
    [[nodiscard]] Envelope* take() {
        if (m_free == nullptr) [[unlikely]] {
            refill();
        }
        Envelope* const envelope = m_free;
        m_free = envelope->next;
        --m_count;
        return envelope;
    }
    void give(Envelope* envelope) noexcept {
        envelope->next = m_free;
        m_free = envelope;
        if (++m_count >= 4 * EnvelopeDepot::chain_length) [[unlikely]] {
            give_back();
        }
    }

private:
    void refill();
    void give_back() noexcept;
    Envelope* m_free = nullptr;
    std::size_t m_count = 0;
};

} // namespace sinew::detail
