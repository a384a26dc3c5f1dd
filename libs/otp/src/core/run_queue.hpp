/// RunQueue: the runnable processes of one worker: one that runs next, and lines by priority, each in order
/// of arrival.
///
/// Invariant: a process is in it at most once. The one woken last runs next, for what woke it is still in the
/// processor's cache; then high priority goes first, and a low one has its turn after eight normal ones.
/// Threading: belongs to one worker.
#pragma once

#include "core/chooser.hpp"
#include "core/process.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace sinew::detail {

class RunQueue {
public:
    /// In a simulation, a Chooser picks, and all stand in line.
    enum class PickedBy : std::uint8_t { order, chooser };
    explicit RunQueue(PickedBy picked_by) noexcept
        : m_picked_by(picked_by) {}

    /// It runs sooner or later, unless it runs now or waits for that already.
    void make_runnable(Process& process) noexcept {
        if (process.has(Process::is_runnable | Process::is_running)) {
            return;
        }
        process.flags |= Process::is_runnable;
        if (m_next == nullptr && m_picked_by == PickedBy::order && process.priority == Priority::normal) {
            m_next = &process;
            return;
        }
        push_back(process);
    }
    void push_back(Process& process) noexcept;
    /// The one to run now, or null.
    [[nodiscard]] Process* pick() noexcept {
        if (m_next != nullptr && (m_size == 0 || (m_next_streak < next_streak_limit && !has_high()))) {
            ++m_next_streak;
            return std::exchange(m_next, nullptr);
        }
        m_next_streak = 0;
        return pop();
    }
    /// The first in line, or null.
    [[nodiscard]] Process* pop() noexcept;
    /// One of those with the highest priority, as `chooser` decides; or null.
    [[nodiscard]] Process* pop_chosen(Chooser& chooser);

    /// How many stand in line.
    [[nodiscard]] std::size_t in_line() const noexcept { return m_size; }
    [[nodiscard]] std::size_t size() const noexcept { return m_size + (m_next != nullptr ? 1 : 0); }
    [[nodiscard]] bool is_next(Process const& process) const noexcept { return m_next == &process; }
    /// Takes the one out that is_next().
    void remove_next() noexcept { m_next = nullptr; }

private:
    struct Line {
        Process* first = nullptr;
        Process* last = nullptr;
        std::size_t size = 0;
    };
    static constexpr unsigned normal_turns_per_low = 8;
    static constexpr unsigned next_streak_limit = 64;
    [[nodiscard]] Line& line(Priority priority) noexcept {
        return m_lines[static_cast<std::size_t>(priority)];
    }
    [[nodiscard]] bool has_high() const noexcept {
        return m_lines[static_cast<std::size_t>(Priority::high)].first != nullptr;
    }
    [[nodiscard]] Line* next_line() noexcept;

    std::array<Line, 3> m_lines;
    std::size_t m_size = 0;
    unsigned m_normal_turns = 0;
    unsigned m_next_streak = 0;
    Process* m_next = nullptr;
    PickedBy m_picked_by;
};

} // namespace sinew::detail
