/// Group: a list that is changed now and then, and read as a whole often.
///
/// Invariant: a snapshot never changes; changes in a row cost no copies, the next reader makes one.
/// Threading: any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace sinew::detail {

template<typename Entry>
class Group {
public:
    using Snapshot = std::shared_ptr<std::vector<Entry> const>;

    void add(Entry entry) {
        std::lock_guard const lock(m_mutex);
        m_entries.push_back(std::move(entry));
        m_snapshot.reset();
    }
    /// Takes out those for which the predicate holds; returns how many.
    template<typename Predicate>
    std::size_t remove_if(Predicate predicate) {
        std::lock_guard const lock(m_mutex);
        std::size_t const removed = std::erase_if(m_entries, predicate);
        if (removed != 0) {
            m_snapshot.reset();
        }
        return removed;
    }
    [[nodiscard]] Snapshot snapshot() {
        std::lock_guard const lock(m_mutex);
        if (m_snapshot == nullptr) {
            m_snapshot = std::make_shared<std::vector<Entry> const>(m_entries);
        }
        return m_snapshot;
    }
    [[nodiscard]] bool empty() {
        std::lock_guard const lock(m_mutex);
        return m_entries.empty();
    }

private:
    std::mutex m_mutex;
    std::vector<Entry> m_entries;
    Snapshot m_snapshot;
};

} // namespace sinew::detail
