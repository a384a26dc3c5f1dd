/// Balance: when a worker gives processes away: half of its queue to one that is idle, or one process that
/// belongs beside those it talks to.
///
/// Invariant: a worker shares only when its handlers are long or many, and it didn't turn out that what it
/// gave away and what it kept talk to each other. Threading: belongs to one worker.
#pragma once

#include "core/process.hpp"
#include "core/worker.hpp"

#include <cstdint>

namespace sinew::detail {

class Balance {
public:
    /// Another worker is idle, and one process runs: true if that is to be measured, for share().
    [[nodiscard]] bool is_run_to_measure() noexcept { return --m_runs_to_measure == 0; }
    /// After an idle time: the next run is measured.
    void measure_next() noexcept { m_runs_to_measure = 1; }
    /// A measured run took `run_ns`, until `now_ns`: gives half of the queue away when that pays.
    void share(Worker& worker, std::int64_t run_ns, std::int64_t now_ns);

private:
    [[nodiscard]] bool may_share(Worker& worker, std::int64_t now_ns) noexcept;

    unsigned m_runs_to_measure = 1;
    bool m_was_run_long = false;
    // When processes were given away last, and what came back from them since.
    std::int64_t m_shared_ns = 0;
    std::int64_t m_pause_ns = 0;
    std::uint64_t m_turns_then = 0;
};

/// `process` has taken remote messages in. When it hears only from one other worker it moves there.
void consider_following(Worker& worker, Process& process);
/// Whether `process`, which has run and sent, is to go on beside its receiver: one that does little else than
/// to fill the mailbox of another worker's gains nothing from a processor of its own, and waits there while
/// that one catches up.
[[nodiscard]] bool may_follow_receiver(Worker const& worker, Process const& process) noexcept;

} // namespace sinew::detail
