/// BlockingPool: threads for work that blocks, so that no scheduler thread does.
///
/// Invariant: work runs in the order it was given, on at most `limit` threads; a thread without work ends
/// after 10 s. Threading: submit() from any thread. The destructor waits for work in progress and drops the
/// rest.
#pragma once

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
    BlockingPool(Node& node, std::size_t limit)
        : m_node(node)
        , m_limit(limit) {}
    BlockingPool(BlockingPool const&) = delete;
    BlockingPool& operator=(BlockingPool const&) = delete;
    BlockingPool(BlockingPool&&) = delete;
    BlockingPool& operator=(BlockingPool&&) = delete;
    ~BlockingPool();
    void submit(std::function<void()> work);

private:
    void run_thread();
    Node& m_node;
    std::size_t m_limit;
    std::mutex m_mutex;
    std::condition_variable m_has_work;
    std::deque<std::function<void()>> m_queue;
    std::unordered_map<std::thread::id, std::thread> m_threads;
    std::vector<std::thread> m_ended;
    std::size_t m_idle = 0;
    bool m_is_stopping = false;
};

} // namespace sinew::detail
