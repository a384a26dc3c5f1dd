#include "envelope_pool.hpp"

#include "context.hpp"
#include "worker.hpp"

#include <cstddef>
#include <memory>
#include <mutex>

namespace sinew::detail {

EnvelopeDepot& EnvelopeDepot::instance() noexcept {
    static EnvelopeDepot depot;
    return depot;
}

Envelope* EnvelopeDepot::make_chain() {
    m_slabs.push_back(std::make_unique<Envelope[]>(chain_length));
    // A chain given back must never fail for want of memory.
    m_chains.reserve(m_slabs.size() + 1);
    Envelope* const slab = m_slabs.back().get();
    for (std::size_t i = 0; i + 1 < chain_length; ++i) {
        slab[i].next = &slab[i + 1];
    }
    return slab;
}

Envelope* EnvelopeDepot::take_chain() {
    std::lock_guard const lock(m_mutex);
    if (m_chains.empty()) {
        return make_chain();
    }
    Envelope* const chain = m_chains.back();
    m_chains.pop_back();
    return chain;
}

void EnvelopeDepot::give_chain(Envelope* first) noexcept {
    std::lock_guard const lock(m_mutex);
    m_chains.push_back(first);
}

Envelope* EnvelopeDepot::take_one() {
    std::lock_guard const lock(m_mutex);
    if (m_singles == nullptr) {
        m_singles = m_chains.empty() ? make_chain() : m_chains.back();
        if (!m_chains.empty() && m_chains.back() == m_singles) {
            m_chains.pop_back();
        }
    }
    Envelope* const envelope = m_singles;
    m_singles = envelope->next;
    return envelope;
}

void EnvelopeDepot::give_one(Envelope* envelope) noexcept {
    std::lock_guard const lock(m_mutex);
    envelope->next = m_singles;
    m_singles = envelope;
}

EnvelopePool::~EnvelopePool() {
    while (m_free != nullptr) {
        Envelope* const envelope = m_free;
        m_free = envelope->next;
        EnvelopeDepot::instance().give_one(envelope);
    }
}

void EnvelopePool::refill() {
    m_free = EnvelopeDepot::instance().take_chain();
    m_count = EnvelopeDepot::chain_length;
}

void EnvelopePool::give_back() noexcept {
    Envelope* const first = m_free;
    Envelope* last = first;
    for (std::size_t i = 1; i < EnvelopeDepot::chain_length; ++i) {
        last = last->next;
    }
    m_free = last->next;
    last->next = nullptr;
    m_count -= EnvelopeDepot::chain_length;
    EnvelopeDepot::instance().give_chain(first);
}

#if defined(__SANITIZE_ADDRESS__)
// Under the address sanitizer each envelope is an allocation of its own, so that misuse is seen.
Envelope* allocate_envelope() {
    return new Envelope;
}
void free_envelope(Envelope* envelope) noexcept {
    delete envelope;
}
#else
Envelope* allocate_envelope() {
    Worker* const worker = t_context.worker;
    return worker != nullptr ? worker->envelopes.take() : EnvelopeDepot::instance().take_one();
}
void free_envelope(Envelope* envelope) noexcept {
    if (Worker* const worker = t_context.worker) {
        worker->envelopes.give(envelope);
    } else {
        EnvelopeDepot::instance().give_one(envelope);
    }
}
#endif

} // namespace sinew::detail
