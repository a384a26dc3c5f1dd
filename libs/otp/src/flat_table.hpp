/// FlatTable: a small map in insertion order: a vector, with a hash index once it has grown.
///
/// Invariant: keys are unique; iteration order depends only on the operations (a removal moves the last entry
/// into the gap), so that a simulation repeats. Threading: a value.
#pragma once

#include <sinew/otp/pid.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sinew::detail {

template<typename Key, typename Value>
class FlatTable {
public:
    struct Entry {
        Key key;
        Value value;
    };
    [[nodiscard]] Value* find(Key key) noexcept {
        std::size_t const at = position(key);
        return at < m_entries.size() ? &m_entries[at].value : nullptr;
    }
    /// False: it was there already, and stays as it was.
    bool insert(Key key, Value value) {
        if (find(key) != nullptr) {
            return false;
        }
        m_entries.push_back({key, std::move(value)});
        if (m_index) {
            m_index->emplace(hash(key), m_entries.size() - 1);
        } else if (m_entries.size() > index_from) {
            build_index();
        }
        return true;
    }
    bool erase(Key key) {
        std::size_t const at = position(key);
        if (at >= m_entries.size()) {
            return false;
        }
        std::size_t const last = m_entries.size() - 1;
        if (m_index) {
            m_index->erase(hash(key));
        }
        if (at != last) {
            m_entries[at] = std::move(m_entries[last]);
            if (m_index) {
                (*m_index)[hash(m_entries[at].key)] = at;
            }
        }
        m_entries.pop_back();
        return true;
    }
    void shrink() {
        if (m_entries.size() <= index_from) {
            m_index.reset();
        }
        m_entries.shrink_to_fit();
    }
    [[nodiscard]] bool empty() const noexcept { return m_entries.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return m_entries.size(); }
    [[nodiscard]] std::vector<Entry> const& entries() const noexcept { return m_entries; }

private:
    static constexpr std::size_t index_from = 16;
    [[nodiscard]] static std::uint64_t hash(Pid key) noexcept { return key.value(); }
    [[nodiscard]] static std::uint64_t hash(MonitorRef key) noexcept { return key.value; }
    [[nodiscard]] std::size_t position(Key key) const noexcept {
        if (m_index) {
            auto const found = m_index->find(hash(key));
            return found == m_index->end() ? m_entries.size() : found->second;
        }
        std::size_t at = 0;
        while (at < m_entries.size() && m_entries[at].key != key) {
            ++at;
        }
        return at;
    }
    void build_index() {
        m_index = std::make_unique<std::unordered_map<std::uint64_t, std::size_t>>();
        for (std::size_t at = 0; at < m_entries.size(); ++at) {
            m_index->emplace(hash(m_entries[at].key), at);
        }
    }
    std::vector<Entry> m_entries;
    std::unique_ptr<std::unordered_map<std::uint64_t, std::size_t>> m_index;
};

} // namespace sinew::detail
