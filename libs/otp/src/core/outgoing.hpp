/// Outgoing: what the running handler has sent to one process of another worker, and goes on together.
///
/// Invariant: all of it is for one process, newest first. Threading: the worker's thread.
#pragma once

#include "core/process.hpp"

#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/pid.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace sinew::detail {

class Outgoing {
public:
    [[nodiscard]] bool is_empty() const noexcept { return m_target == nullptr; }
    [[nodiscard]] bool is_for(Process const& process) const noexcept { return m_target == &process; }
    /// Whom it is for, unless it is empty.
    [[nodiscard]] Process& target() const noexcept { return *m_target; }
    [[nodiscard]] Pid target_pid() const noexcept { return m_newest->target; }
    [[nodiscard]] unsigned count() const noexcept { return m_count; }
    /// Since when, if the target's mailbox is long; else 0.
    [[nodiscard]] std::int64_t flood_since_ns() const noexcept { return m_flood_since_ns; }

    /// When it is empty: it is for `process` from now on.
    void begin(Process& process, Envelope* first) noexcept {
        m_target = &process;
        m_oldest = first;
        m_count = 0;
    }
    void note_flood(std::int64_t now_ns) noexcept { m_flood_since_ns = now_ns; }
    void add(Pid pid, Envelope* envelope) noexcept {
        ++m_count;
        envelope->target = pid;
        envelope->next = m_newest;
        m_newest = envelope;
    }
    /// Leaves it with its process, as from worker `index`. True: nothing else waited there, so the process's
    /// worker isn't told yet.
    [[nodiscard]] bool put_down(unsigned index) noexcept {
        Process& process = *std::exchange(m_target, nullptr);
        m_flood_since_ns = 0;
        Envelope* const newest = std::exchange(m_newest, nullptr);
        process.last_remote_sender.store(static_cast<std::uint8_t>(index + 1), std::memory_order_relaxed);
        Envelope* head = process.remote.load(std::memory_order_relaxed);
        do {
            m_oldest->next = head;
        } while (!process.remote.compare_exchange_weak(head, newest, std::memory_order_seq_cst,
                                                       std::memory_order_relaxed));
        return head == nullptr;
    }

private:
    Process* m_target = nullptr;
    Envelope* m_newest = nullptr;
    Envelope* m_oldest = nullptr;
    unsigned m_count = 0;
    std::int64_t m_flood_since_ns = 0;
};

} // namespace sinew::detail
