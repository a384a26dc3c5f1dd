/// MemberList: entries of processes, in the order they came.
///
/// Invariant: what one operation costs on average doesn't depend on how many entries there are: those that are
/// taken out stay in the list, as dead ones, until they are half of it or somebody reads it. Threading: a value.
#pragma once

#include <sinew/otp/detail/flat_table.hpp>
#include <sinew/otp/pid.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace sinew::detail {

/// An Entry has a member `process`, a Pid.
template<typename Entry>
class MemberList {
public:
    void add(Entry entry) {
        Member* member = m_members.find(entry.process);
        if (member == nullptr) {
            m_members.insert(entry.process, {});
            member = m_members.find(entry.process);
        }
        ++member->living;
        m_entries.push_back(std::move(entry));
    }
    /// Takes out all entries of `process`; returns how many.
    std::size_t remove(Pid process) {
        Member* const member = m_members.find(process);
        if (member == nullptr || member->living == 0) {
            return 0;
        }
        std::size_t const count = std::exchange(member->living, 0);
        member->dead_before = m_entries.size();
        m_dead += count;
        if (m_dead * 2 > m_entries.size()) {
            drop_dead();
        }
        return count;
    }
    [[nodiscard]] bool empty() const noexcept { return m_entries.size() == m_dead; }
    /// All of them.
    [[nodiscard]] std::vector<Entry> const& entries() {
        if (m_dead != 0) {
            drop_dead();
        }
        return m_entries;
    }

private:
    struct Member {
        std::size_t living = 0;
        /// Its entries before this place are dead.
        std::size_t dead_before = 0;
    };
    void drop_dead() {
        FlatTable<Pid, Member> members;
        std::size_t kept = 0;
        for (std::size_t at = 0; at < m_entries.size(); ++at) {
            Member const& member = *m_members.find(m_entries[at].process);
            if (at < member.dead_before) {
                continue;
            }
            members.insert(m_entries[at].process, {.living = member.living});
            if (kept != at) {
                m_entries[kept] = std::move(m_entries[at]);
            }
            ++kept;
        }
        m_entries.erase(m_entries.begin() + static_cast<std::ptrdiff_t>(kept), m_entries.end());
        m_members = std::move(members);
        m_dead = 0;
    }

    std::vector<Entry> m_entries;
    FlatTable<Pid, Member> m_members;
    std::size_t m_dead = 0;
};

} // namespace sinew::detail
