/// BlockingPool: threads for work that blocks, so that no scheduler thread does.
///
/// Invariant: work runs in the order it was given, on at most `limit` threads; a thread without work ends
/// after 10 s. Threading: submit() from any thread. The destructor waits for work in progress and drops the
/// rest.
#pragma once

#include <sched.h>

#include <condition_variable>
#include <cstddef>
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
    BlockingPool(Node& node, std::size_t limit);
    BlockingPool(BlockingPool const&) = delete;
    BlockingPool& operator=(BlockingPool const&) = delete;
    BlockingPool(BlockingPool&&) = delete;
    BlockingPool& operator=(BlockingPool&&) = delete;
    ~BlockingPool();
    /// Any thread. Throws std::system_error when `work` needs a thread and there can be none. Once stopped,
    /// the pool drops `work`.
    void submit(std::function<void()> work);
    /// Drops what has not begun, and waits for what has.
    void stop();

private:
    void run_thread();
    void add_thread();
    Node& m_node;
    std::size_t m_limit;
    /// Its threads use these, whichever the thread may use that asks for a new one.
    cpu_set_t m_processors;
    std::mutex m_mutex;
    std::condition_variable m_has_work;
    std::deque<std::function<void()>> m_queue;
    std::unordered_map<std::thread::id, std::thread> m_threads;
    std::vector<std::thread> m_ended;
    std::size_t m_idle = 0;
    bool m_is_stopping = false;
};

} // namespace sinew::detail
