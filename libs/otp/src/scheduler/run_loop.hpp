/// RunLoop: a worker, and the loop that runs its processes.
///
/// Invariant: a process runs for 256 messages or 2 ms at most before another has its turn. Threading: one
/// thread at a time drives it.
#pragma once

#include "core/process.hpp"
#include "core/worker.hpp"
#include "scheduler/balance.hpp"

#include <cstdint>

namespace sinew::detail {

class NodeCore;

class RunLoop {
public:
    /// A simulated one picks among its runnable processes as the chooser decides, one message at a time.
    RunLoop(NodeCore& core, unsigned worker_index);

    enum class End : std::uint8_t {
        stopping,
        /// A thread whose handler was stuck came back for the worker.
        wanted_back
    };
    /// Runs until the node stops, or another thread wants the worker.
    End run();
    /// Runs one process for a while. False: nobody is runnable.
    bool run_one();

    Worker worker;

private:
    void step(unsigned& turn);
    /// Runs one process while other workers are idle.
    void run_one_and_share();
    /// What the handlers sent goes out.
    void send_on();
    void run_process(Process& process);
    /// False: the process has ended.
    [[nodiscard]] bool run_messages(Process& process);
    /// It has run, and has more to do: its next turn comes here, or beside its receiver.
    void queue_again(Process& process);

    Balance m_balance;
};

} // namespace sinew::detail
