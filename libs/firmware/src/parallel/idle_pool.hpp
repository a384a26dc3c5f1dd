/// Objects that are costly to make, used again and again by whichever thread needs one.
///
/// Invariant: as many are made as are in use at the same time at most. Threading: for all threads.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace sinew::firmware {

template<typename T>
class IdlePool {
public:
    explicit IdlePool(std::function<std::unique_ptr<T>()> make)
        : m_make(std::move(make)) {}
    /// Calls `use` with one that nobody else uses meanwhile. One whose use ends in an exception isn't used again.
    template<typename Use>
    auto with_one(Use use) {
        auto one = take();
        auto result = use(*one);
        std::lock_guard const lock(m_mutex);
        m_idle.push_back(std::move(one));
        return result;
    }

private:
    std::unique_ptr<T> take() {
        {
            std::lock_guard const lock(m_mutex);
            if (!m_idle.empty()) {
                auto one = std::move(m_idle.back());
                m_idle.pop_back();
                return one;
            }
        }
        return m_make();
    }
    std::function<std::unique_ptr<T>()> m_make;
    std::mutex m_mutex;
    std::vector<std::unique_ptr<T>> m_idle;
};

} // namespace sinew::firmware
