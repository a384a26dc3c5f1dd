/// Work done on all cores, its results taken in the order in which it was added.
///
/// This library has no scheduler below it (a flasher links it alone), so this is the one place where it
/// starts threads. Invariant: at most twice as many pieces of work as cores are under way, so memory is
/// bounded; no thread outlives the object. Threading: belongs to one thread, which also runs `take`.
#pragma once

#include <sinew/base/result.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <thread>
#include <utility>

namespace sinew::firmware {

/// How many cores there are.
[[nodiscard]] inline unsigned core_count() {
    return std::max(1u, std::thread::hardware_concurrency());
}

template<typename T>
class OrderedWork {
public:
    /// `take` gets the results. `cores` is how many to use; 0: all there are.
    explicit OrderedWork(std::function<Result<>(T)> take, unsigned cores = 0)
        : m_take(std::move(take))
        , m_most_under_way(2 * std::size_t{cores > 0 ? cores : core_count()}) {}
    /// Starts `work`, which must own or outlive what it uses. Waits, and takes results, while as much as may
    /// be is under way. Error: the first that `take` returned. An exception of `work` comes out here.
    [[nodiscard]] Result<> add(std::function<T()> work) {
        while (m_under_way.size() >= m_most_under_way) {
            TRY_OK(take_oldest());
        }
        m_under_way.push_back(std::async(std::launch::async, std::move(work)));
        return {};
    }
    /// Takes all that is left.
    [[nodiscard]] Result<> finish() {
        while (!m_under_way.empty()) {
            TRY_OK(take_oldest());
        }
        return {};
    }

private:
    Result<> take_oldest() {
        auto oldest = std::move(m_under_way.front());
        m_under_way.pop_front();
        return m_take(oldest.get());
    }
    std::function<Result<>(T)> m_take;
    std::size_t m_most_under_way;
    std::deque<std::future<T>> m_under_way;
};

} // namespace sinew::firmware
