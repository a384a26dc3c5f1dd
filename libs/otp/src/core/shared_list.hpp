/// SharedList: a list of processes that any thread adds to and one worker takes, all at once.
///
/// Invariant: a process is in at most one list through `Next` at a time. Threading: push() from any thread;
/// take_all() by the worker.
#pragma once

#include "core/process.hpp"

#include <atomic>

namespace sinew::detail {

template<Process* Process::* Next>
class SharedList {
public:
    [[nodiscard]] bool is_empty(std::memory_order order = std::memory_order_relaxed) const noexcept {
        return m_newest.load(order) == nullptr;
    }
    void push(Process& process) noexcept {
        Process* head = m_newest.load(std::memory_order_relaxed);
        do {
            process.*Next = head;
        } while (!m_newest.compare_exchange_weak(head, &process, std::memory_order_seq_cst,
                                                 std::memory_order_relaxed));
    }
    /// The first that came, linked through `Next` to those that came later; null: none.
    [[nodiscard]] Process* take_all() noexcept {
        Process* list = m_newest.exchange(nullptr, std::memory_order_seq_cst);
        Process* oldest = nullptr;
        while (list != nullptr) {
            Process* const next = list->*Next;
            list->*Next = oldest;
            oldest = list;
            list = next;
        }
        return oldest;
    }

private:
    std::atomic<Process*> m_newest{nullptr};
};

} // namespace sinew::detail
