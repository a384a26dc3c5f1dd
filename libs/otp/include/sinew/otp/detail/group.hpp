/// Group: a list that is changed now and then, and read as a whole often.
///
/// Invariant: a snapshot never changes; changes in a row cost no copies, and the same however long it is; the next
/// reader makes a copy.
/// Threading: any thread.
#pragma once

#include <sinew/otp/detail/member_list.hpp>
#include <sinew/otp/pid.hpp>

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
        m_entries.add(std::move(entry));
        m_snapshot.reset();
    }
    /// Takes out those of `process`; returns how many.
    std::size_t remove(Pid process) {
        std::lock_guard const lock(m_mutex);
        std::size_t const removed = m_entries.remove(process);
        if (removed != 0) {
            m_snapshot.reset();
        }
        return removed;
    }
    [[nodiscard]] Snapshot snapshot() {
        std::lock_guard const lock(m_mutex);
        if (m_snapshot == nullptr) {
            m_snapshot = std::make_shared<std::vector<Entry> const>(m_entries.entries());
        }
        return m_snapshot;
    }
    [[nodiscard]] bool empty() {
        std::lock_guard const lock(m_mutex);
        return m_entries.empty();
    }

private:
    std::mutex m_mutex;
    MemberList<Entry> m_entries;
    Snapshot m_snapshot;
};

} // namespace sinew::detail
