#include "scheduler/blocking_pool.hpp"

#include "core/context.hpp"
#include "core/node_core.hpp"

#include <sinew/otp/node.hpp>

#include <chrono>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace sinew::detail {

BlockingPool::BlockingPool(Node& node, std::size_t limit)
    : m_node(node)
    , m_limit(limit)
    , m_processors{} {
    if (sched_getaffinity(0, sizeof m_processors, &m_processors) != 0) {
        CPU_ZERO(&m_processors);
    }
}

BlockingPool::~BlockingPool() {
    stop();
}

void BlockingPool::stop() {
    std::deque<std::function<void()>> dropped;
    {
        std::lock_guard const lock(m_mutex);
        m_is_stopping = true;
        dropped.swap(m_queue);
    }
    m_has_work.notify_all();
    for (;;) {
        std::vector<std::thread> ended;
        {
            std::lock_guard const lock(m_mutex);
            ended.swap(m_ended);
            for (auto& [id, thread] : m_threads) {
                ended.push_back(std::move(thread));
            }
            m_threads.clear();
        }
        if (ended.empty()) {
            return;
        }
        for (std::thread& thread : ended) {
            thread.join();
        }
    }
}

void BlockingPool::submit(std::function<void()> work) {
    std::vector<std::thread> ended;
    {
        std::lock_guard const lock(m_mutex);
        if (m_is_stopping) {
            return;
        }
        m_queue.push_back(std::move(work));
        ended.swap(m_ended);
        if (m_idle < m_queue.size() && m_threads.size() < m_limit) {
            add_thread();
        }
    }
    m_has_work.notify_one();
    for (std::thread& thread : ended) {
        thread.join();
    }
}

// Without a new thread the work waits for one that is there.
void BlockingPool::add_thread() {
    try {
        std::thread thread([this] { run_thread(); });
        auto const id = thread.get_id();
        m_threads.emplace(id, std::move(thread));
    } catch (std::system_error const&) {
        if (m_threads.empty()) {
            m_queue.pop_back();
            throw;
        }
    }
}

void BlockingPool::run_thread() {
    if (CPU_COUNT(&m_processors) != 0) {
        (void)sched_setaffinity(0, sizeof m_processors, &m_processors);
    }
    NodeScope const scope(m_node);
    std::unique_lock lock(m_mutex);
    for (;;) {
        ++m_idle;
        bool const woken = m_has_work.wait_for(lock, std::chrono::seconds(10),
                                               [this] { return m_is_stopping || !m_queue.empty(); });
        --m_idle;
        if (!woken || m_queue.empty()) {
            break;
        }
        std::function<void()> work = std::move(m_queue.front());
        m_queue.pop_front();
        lock.unlock();
        work();
        work = nullptr;
        lock.lock();
    }
    // Joined by whoever comes next; when stopping, the destructor has it already.
    if (auto const self = m_threads.find(std::this_thread::get_id()); self != m_threads.end()) {
        m_ended.push_back(std::move(self->second));
        m_threads.erase(self);
    }
}

void submit_blocking(std::function<void()> work) {
    NodeCore& core = require_core();
    if (core.is_simulated()) {
        work();
    } else if (core.blocking != nullptr) {
        core.blocking->submit(std::move(work));
    }
    // Otherwise the node is being destroyed: the work is dropped, and says so to whoever waits for it.
}

} // namespace sinew::detail
