/// BlockingPool: threads for work that blocks, so that no scheduler thread does.
///
/// Invariant: work runs in the order it was given, on at most so many threads, and at most so much of it waits;
/// more is refused. A thread without work ends after 10 s. Threading: submit() from any thread; it doesn't
/// block. The destructor waits for work in progress and drops the rest.
#pragma once

#include <sched.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace sinew {
class Node;
}

namespace sinew::detail {

class BlockingPool {
public:
    struct Limits {
        std::size_t threads = 1;
        /// Without the work that a thread is about to take.
        std::size_t waiting = 0;
    };
    enum class Submitted : std::uint8_t {
        taken,
        /// As much waits as may.
        full,
        stopped
    };
    BlockingPool(Node& node, Limits limits);
    BlockingPool(BlockingPool const&) = delete;
    BlockingPool& operator=(BlockingPool const&) = delete;
    BlockingPool(BlockingPool&&) = delete;
    BlockingPool& operator=(BlockingPool&&) = delete;
    ~BlockingPool();
    /// Any thread. Work that isn't taken is dropped. Throws std::system_error when `work` needs a thread and
    /// there can be none.
    [[nodiscard]] Submitted submit(std::function<void()> work);
    /// Drops what has not begun, and waits for what has.
    void stop();

private:
    void run_thread();
    void add_thread();
    Node& m_node;
    Limits m_limits;
    /// Its threads use these, whichever the thread may use that asks for a new one.
    cpu_set_t m_processors;
    std::mutex m_mutex;
    std::condition_variable m_has_work;
    std::deque<std::function<void()>> m_queue;
    std::unordered_map<std::thread::id, std::thread> m_threads;
    /// The next that ends joins them.
    std::vector<std::thread> m_ended;
    /// Threads that will look for work, those that have just been made too.
    std::size_t m_idle = 0;
    bool m_is_stopping = false;
};

} // namespace sinew::detail
