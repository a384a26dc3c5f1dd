/// Rest: what a worker does that has nothing to run, and who may act for it meanwhile.
///
/// Invariant: only while a worker spins or sleeps may another borrow it, to take a process away; everything
/// of the resting worker belongs to the borrower until it gives it back, and the rest doesn't end before.
/// Threading: begin() and end() by the worker; the rest by any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace sinew::detail {

/// One turn of a loop that waits for another thread.
inline void pause_briefly() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

class Rest {
public:
    enum class State : std::uint8_t { none, spinning, asleep, borrowed };

    void begin(State state) noexcept { m_state.store(state, std::memory_order_seq_cst); }
    /// From now on nobody borrows. Waits for one who does.
    void end() noexcept {
        State state = m_state.load(std::memory_order_seq_cst);
        while (state != State::none) {
            if (state == State::borrowed) {
                pause_briefly();
                state = m_state.load(std::memory_order_seq_cst);
            } else if (m_state.compare_exchange_weak(state, State::none, std::memory_order_seq_cst)) {
                return;
            }
        }
    }
    /// Another worker acts as the owner of this one's processes from now on. `before` is for give_back().
    [[nodiscard]] bool borrow(State& before) noexcept {
        before = m_state.load(std::memory_order_relaxed);
        return (before == State::spinning || before == State::asleep) &&
               m_state.compare_exchange_strong(before, State::borrowed, std::memory_order_seq_cst);
    }
    void give_back(State before) noexcept { m_state.store(before, std::memory_order_seq_cst); }
    /// Ends a sleep. True: the worker has to be woken for that.
    [[nodiscard]] bool interrupt() noexcept {
        State state = State::asleep;
        return m_state.load(std::memory_order_seq_cst) >= State::asleep &&
               (m_state.compare_exchange_strong(state, State::none, std::memory_order_seq_cst) ||
                state == State::borrowed);
    }
    [[nodiscard]] bool is_asleep() const noexcept { return m_state.load() == State::asleep; }

private:
    std::atomic<State> m_state{State::none};
};

} // namespace sinew::detail
