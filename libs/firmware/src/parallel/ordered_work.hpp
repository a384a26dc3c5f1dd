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

template<typename T>
class OrderedWork {
public:
    /// `take` gets the results.
    explicit OrderedWork(std::function<Result<>(T)> take)
        : m_take(std::move(take)) {}
    /// Starts `work`, which must own or outlive what it uses. Waits, and takes results, while as much as may
    /// be is under way. Error: the first that `take` returned. An exception of `work` comes out here.
    [[nodiscard]] Result<> add(std::function<T()> work) {
        while (m_under_way.size() >= most_under_way()) {
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
    static std::size_t most_under_way() {
        return 2 * std::max<std::size_t>(1, std::thread::hardware_concurrency());
    }
    Result<> take_oldest() {
        auto oldest = std::move(m_under_way.front());
        m_under_way.pop_front();
        return m_take(oldest.get());
    }
    std::function<Result<>(T)> m_take;
    std::deque<std::future<T>> m_under_way;
};

} // namespace sinew::firmware
