#include "scheduler/blocking_pool.hpp"

#include "core/context.hpp"
#include "core/node_core.hpp"
#include "crash/alternate_stack.hpp"

#include <sinew/base/may_block.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/process.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace sinew::detail {

BlockingPool::BlockingPool(Node& node, Limits limits)
    : m_node(node)
    , m_limits(limits)
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

BlockingPool::Submitted BlockingPool::submit(std::function<void()> work) {
    {
        std::lock_guard const lock(m_mutex);
        if (m_is_stopping) {
            return Submitted::stopped;
        }
        std::size_t const about_to_begin = m_idle + (m_limits.threads - m_threads.size());
        if (m_queue.size() >= m_limits.waiting + about_to_begin) {
            return Submitted::full;
        }
        m_queue.push_back(std::move(work));
        if (m_idle < m_queue.size() && m_threads.size() < m_limits.threads) {
            add_thread();
        }
    }
    m_has_work.notify_one();
    return Submitted::taken;
}

// Without a new thread the work waits for one that is there.
void BlockingPool::add_thread() {
    try {
        std::thread thread([this] { run_thread(); });
        auto const id = thread.get_id();
        m_threads.emplace(id, std::move(thread));
        ++m_idle;
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
    crash::AlternateStack const stack_for_signals;
    NodeScope const scope(m_node);
    std::unique_lock lock(m_mutex);
    for (;;) {
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
        ++m_idle;
    }
    std::vector<std::thread> ended;
    // When stopping, the destructor has it already.
    if (auto const self = m_threads.find(std::this_thread::get_id()); self != m_threads.end()) {
        ended.swap(m_ended);
        m_ended.push_back(std::move(self->second));
        m_threads.erase(self);
    }
    lock.unlock();
    for (std::thread& thread : ended) {
        thread.join();
    }
}

namespace {

BlockingPool::Submitted submit_blocking(std::function<void()> work) {
    NodeCore& core = require_core();
    if (core.is_simulated()) {
        AllowBlocking const permission("in a simulation it runs at once");
        work();
        return BlockingPool::Submitted::taken;
    }
    return core.blocking != nullptr ? core.blocking->submit(std::move(work))
                                    : BlockingPool::Submitted::stopped;
}

} // namespace

void begin_blocking(std::function<void(ReplyPath&)> work, ReplyPath path) {
    auto const shared_path = std::make_shared<ReplyPath>(std::move(path));
    auto const submitted = submit_blocking([work = std::move(work), shared_path] { work(*shared_path); });
    if (submitted == BlockingPool::Submitted::full) {
        shared_path->fail(RequestFailure::pool_full);
    }
    // Once stopped, the pool dropped the work, and the path with it says so.
}

} // namespace sinew::detail

namespace sinew {
namespace {

/// Work that runs once, at the latest when this is destroyed.
class CertainWork {
public:
    explicit CertainWork(std::function<void()> work)
        : m_work(std::move(work)) {}
    CertainWork(CertainWork const&) = delete;
    CertainWork& operator=(CertainWork const&) = delete;
    CertainWork(CertainWork&&) = delete;
    CertainWork& operator=(CertainWork&&) = delete;
    ~CertainWork() { run(); }
    void run() {
        if (auto const work = std::exchange(m_work, nullptr)) {
            work();
        }
    }

private:
    std::function<void()> m_work;
};

} // namespace

bool run_in_background(std::function<void()> work) {
    if (detail::t_context.core == nullptr) {
        return false;
    }
    try {
        return detail::submit_blocking(std::move(work)) == detail::BlockingPool::Submitted::taken;
    } catch (std::system_error const&) {
        return false;
    }
}

void run_in_background_or_here(std::function<void()> work) {
    auto const certain = std::make_shared<CertainWork>(std::move(work));
    if (!run_in_background([certain] { certain->run(); })) {
        AllowBlocking const permission("it must be done, and nobody else can");
        certain->run();
    }
}

} // namespace sinew
