/// RunQueue: the runnable processes of one worker, by priority, each list in order of arrival.
///
/// Invariant: a process is in it at most once, and only its worker touches it. High priority goes first; a
/// low one has its turn after eight normal ones. Threading: belongs to one worker.
#pragma once

#include "process/process.hpp"
#include "scheduler/chooser.hpp"

#include <array>
#include <cstddef>

namespace sinew::detail {

class RunQueue {
public:
    void push_back(Process& process) noexcept;
    /// The next one, or null.
    [[nodiscard]] Process* pop() noexcept;
    /// One of those with the highest priority, as `chooser` decides; or null.
    [[nodiscard]] Process* pop_chosen(Chooser& chooser);
    [[nodiscard]] std::size_t size() const noexcept { return m_size; }
    [[nodiscard]] bool is_empty() const noexcept { return m_size == 0; }
    [[nodiscard]] bool has_high() const noexcept { return list(Priority::high).first != nullptr; }

private:
    struct List {
        Process* first = nullptr;
        Process* last = nullptr;
        std::size_t size = 0;
    };
    static constexpr unsigned normal_turns_per_low = 8;
    [[nodiscard]] List& list(Priority priority) noexcept {
        return m_lists[static_cast<std::size_t>(priority)];
    }
    [[nodiscard]] List const& list(Priority priority) const noexcept {
        return m_lists[static_cast<std::size_t>(priority)];
    }
    [[nodiscard]] List* next_list() noexcept;

    std::array<List, 3> m_lists;
    std::size_t m_size = 0;
    unsigned m_normal_turns = 0;
};

} // namespace sinew::detail
