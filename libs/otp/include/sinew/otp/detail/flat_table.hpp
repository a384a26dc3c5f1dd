/// FlatTable: a small map in insertion order: a vector, with a hash index once it has grown.
///
/// Invariant: keys are unique; iteration order depends only on the operations (a removal moves the last entry
/// into the gap), so that a simulation repeats. The index is a table with linear probing, a power of two long
/// and at most half full, of positions plus one; 0 is a free place. Threading: a value.
#pragma once

#include <sinew/otp/pid.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
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
    [[nodiscard]] Value* find(Key const& key) noexcept {
        std::size_t const at = position(key);
        return at < m_entries.size() ? &m_entries[at].value : nullptr;
    }
    /// False: it was there already, and stays as it was.
    bool insert(Key key, Value value) {
        if (find(key) != nullptr) {
            return false;
        }
        if (m_entries.size() >= (m_places.empty() ? index_from : m_places.size() / 2)) {
            build_index();
        }
        std::size_t const place = m_places.empty() ? 0 : place_of(key);
        m_entries.push_back({std::move(key), std::move(value)});
        if (!m_places.empty()) {
            m_places[place] = static_cast<std::uint32_t>(m_entries.size());
        }
        return true;
    }
    bool erase(Key const& key) {
        std::size_t const at = position(key);
        if (at >= m_entries.size()) {
            return false;
        }
        std::size_t const last = m_entries.size() - 1;
        if (!m_places.empty()) {
            free_place(place_of(key));
        }
        if (at != last) {
            if (!m_places.empty()) {
                m_places[place_of(m_entries[last].key)] = static_cast<std::uint32_t>(at + 1);
            }
            m_entries[at] = std::move(m_entries[last]);
        }
        m_entries.pop_back();
        return true;
    }
    void shrink() {
        if (m_entries.size() <= index_from) {
            m_places = {};
        }
        m_entries.shrink_to_fit();
    }
    [[nodiscard]] bool empty() const noexcept { return m_entries.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return m_entries.size(); }
    [[nodiscard]] std::vector<Entry> const& entries() const noexcept { return m_entries; }

private:
    static constexpr std::size_t index_from = 16;
    [[nodiscard]] static std::uint64_t hash(Key const& key) noexcept {
        if constexpr (std::is_same_v<Key, MonitorRef>) {
            return key.value;
        } else {
            return std::hash<Key>{}(key);
        }
    }
    /// Where it would be looked for first.
    [[nodiscard]] std::size_t home_of(Key const& key) const noexcept {
        constexpr std::uint64_t golden_ratio = 0x9e37'79b9'7f4a'7c15;
        return (hash(key) * golden_ratio) >> (64 - std::countr_zero(m_places.size()));
    }
    [[nodiscard]] std::size_t next_place(std::size_t place) const noexcept {
        return (place + 1) & (m_places.size() - 1);
    }
    /// Its own, or the free one where it would be.
    [[nodiscard]] std::size_t place_of(Key const& key) const noexcept {
        std::size_t place = home_of(key);
        while (m_places[place] != 0 && m_entries[m_places[place] - 1].key != key) {
            place = next_place(place);
        }
        return place;
    }
    [[nodiscard]] std::size_t position(Key const& key) const noexcept {
        if (!m_places.empty()) {
            std::uint32_t const found = m_places[place_of(key)];
            return found == 0 ? m_entries.size() : found - 1;
        }
        std::size_t at = 0;
        while (at < m_entries.size() && m_entries[at].key != key) {
            ++at;
        }
        return at;
    }
    /// Those behind it move up, unless that brought them before their home.
    void free_place(std::size_t gap) noexcept {
        std::size_t const mask = m_places.size() - 1;
        for (std::size_t place = next_place(gap); m_places[place] != 0; place = next_place(place)) {
            std::size_t const home = home_of(m_entries[m_places[place] - 1].key);
            if (((place - home) & mask) >= ((place - gap) & mask)) {
                m_places[gap] = m_places[place];
                gap = place;
            }
        }
        m_places[gap] = 0;
    }
    void build_index() {
        m_places = std::vector<std::uint32_t>(std::bit_ceil(4 * m_entries.size()));
        for (std::size_t at = 0; at < m_entries.size(); ++at) {
            m_places[place_of(m_entries[at].key)] = static_cast<std::uint32_t>(at + 1);
        }
    }
    std::vector<Entry> m_entries;
    std::vector<std::uint32_t> m_places;
};

} // namespace sinew::detail
