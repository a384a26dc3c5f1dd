/// ConcurrentMap: a hash map whose readers never lock and never wait.
///
/// Layout: shards of open addressing; a slot holds the hash, and a pointer to an immutable node. A writer
/// locks its shard, publishes a new node in place, and retires the old one.
/// Invariant: a key sits in at most one slot, and a slot's hash never returns to zero (empty) while its array
/// lives, so that a reader's probe never ends too early. Threading: everything may be called on any thread.
#pragma once

#include <sinew/otp/detail/epoch.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

namespace sinew::detail {

template<typename Key, typename Value>
class ConcurrentMap {
    struct Slot;
    struct Shard;

public:
    struct Node {
        Key key;
        Value value;
    };
    /// What a writer may do with the place of one key.
    class Place {
    public:
        /// Null: there is none.
        [[nodiscard]] Value const* current() const noexcept {
            return m_node != nullptr ? &m_node->value : nullptr;
        }
        void put(Value value) { m_map->put(*m_shard, *this, std::move(value)); }
        void erase() { m_map->erase(*m_shard, *this); }

    private:
        friend class ConcurrentMap;
        ConcurrentMap* m_map = nullptr;
        Shard* m_shard = nullptr;
        Key const* m_key = nullptr;
        std::uint64_t m_hash = 0;
        Slot* m_slot = nullptr;
        Node* m_node = nullptr;
    };

    ConcurrentMap() = default;
    ConcurrentMap(ConcurrentMap const&) = delete;
    ConcurrentMap& operator=(ConcurrentMap const&) = delete;
    ConcurrentMap(ConcurrentMap&&) = delete;
    ConcurrentMap& operator=(ConcurrentMap&&) = delete;
    ~ConcurrentMap() {
        for (Shard& shard : m_shards) {
            free_all(shard);
        }
    }

    /// Calls function(value) if `key` is there, under a guard. False: it isn't.
    template<typename F>
    bool read(Key const& key, F&& function) const {
        std::uint64_t const hash = hash_of(key);
        EpochGuard const guard;
        Slot const* const array = shard_of(hash).array.load(std::memory_order_seq_cst);
        if (array == nullptr) {
            return false;
        }
        std::uint64_t const mask = array->hash.load(std::memory_order_relaxed);
        for (std::uint64_t at = hash >> 1;; ++at) {
            Slot const& slot = array[1 + (at & mask)];
            std::uint64_t const found = slot.hash.load(std::memory_order_acquire);
            if (found == hash) {
                Node const* const node = slot.node.load(std::memory_order_seq_cst);
                if (node != nullptr && node->key == key) {
                    std::forward<F>(function)(std::as_const(node->value));
                    return true;
                }
            } else if (found == 0) {
                return false;
            }
        }
    }
    /// Calls function(place) with the place of `key`, alone among the writers of its shard.
    template<typename F>
    decltype(auto) write(Key const& key, F&& function) {
        std::uint64_t const hash = hash_of(key);
        Shard& shard = shard_of(hash);
        std::lock_guard const lock(shard.mutex);
        Place place;
        place.m_map = this;
        place.m_shard = &shard;
        place.m_key = &key;
        place.m_hash = hash;
        place.m_slot = find_slot(shard, key, hash);
        place.m_node = place.m_slot != nullptr ? place.m_slot->node.load(std::memory_order_relaxed) : nullptr;
        return std::forward<F>(function)(place);
    }
    /// Calls function(key, value) for each; one that stays for the whole time is met exactly once.
    template<typename F>
    void for_each(F&& function) const {
        EpochGuard const guard;
        for (Shard const& shard : m_shards) {
            Slot const* const array = shard.array.load(std::memory_order_seq_cst);
            for (std::uint64_t at = 0; array != nullptr && at <= mask_of(array); ++at) {
                if (Node const* const node = array[1 + at].node.load(std::memory_order_seq_cst)) {
                    function(node->key, std::as_const(node->value));
                }
            }
        }
    }
    void clear() {
        for (Shard& shard : m_shards) {
            std::lock_guard const lock(shard.mutex);
            Slot* const array = shard.array.exchange(nullptr, std::memory_order_seq_cst);
            for (std::uint64_t at = 0; array != nullptr && at <= mask_of(array); ++at) {
                if (Node* const node = array[1 + at].node.load(std::memory_order_relaxed)) {
                    shard.retired.retire(node);
                }
            }
            retire_array(shard, array);
            shard.used = 0;
            shard.size.store(0, std::memory_order_relaxed);
        }
    }
    [[nodiscard]] std::size_t size() const noexcept {
        std::size_t result = 0;
        for (Shard const& shard : m_shards) {
            result += shard.size.load(std::memory_order_relaxed);
        }
        return result;
    }

private:
    struct Slot {
        /// Zero: never used. The first slot of an array holds its index mask instead.
        std::atomic<std::uint64_t> hash{0};
        /// Null with a hash: erased.
        std::atomic<Node*> node{nullptr};
    };
    struct alignas(64) Shard {
        std::atomic<Slot*> array{nullptr};
        std::atomic<std::size_t> size{0};
        std::mutex mutex;
        /// Slots with a hash, the erased ones included.
        std::size_t used = 0;
        RetireList retired;
    };
    static constexpr std::size_t shard_bits = 4;
    static constexpr std::size_t first_capacity = 8;

    [[nodiscard]] static std::uint64_t hash_of(Key const& key) noexcept {
        std::uint64_t hash = std::hash<Key>{}(key);
        hash = (hash ^ hash >> 32) * 0x9E3779B97F4A7C15ULL;
        return (hash ^ hash >> 29) | 1U;
    }
    [[nodiscard]] static std::uint64_t mask_of(Slot const* array) noexcept {
        return array->hash.load(std::memory_order_relaxed);
    }
    [[nodiscard]] Shard& shard_of(std::uint64_t hash) noexcept { return m_shards[hash >> (64 - shard_bits)]; }
    [[nodiscard]] Shard const& shard_of(std::uint64_t hash) const noexcept {
        return m_shards[hash >> (64 - shard_bits)];
    }
    [[nodiscard]] static Slot* find_slot(Shard& shard, Key const& key, std::uint64_t hash) noexcept {
        Slot* const array = shard.array.load(std::memory_order_relaxed);
        if (array == nullptr) {
            return nullptr;
        }
        std::uint64_t const mask = mask_of(array);
        for (std::uint64_t at = hash >> 1;; ++at) {
            Slot& slot = array[1 + (at & mask)];
            std::uint64_t const found = slot.hash.load(std::memory_order_relaxed);
            if (found == 0) {
                return nullptr;
            }
            Node const* const node = slot.node.load(std::memory_order_relaxed);
            if (found == hash && node != nullptr && node->key == key) {
                return &slot;
            }
        }
    }
    void put(Shard& shard, Place& place, Value value) {
        auto* const node = new Node{*place.m_key, std::move(value)};
        if (place.m_slot != nullptr) {
            place.m_slot->node.store(node, std::memory_order_seq_cst);
            shard.retired.retire(place.m_node);
        } else {
            place.m_slot = &free_slot(shard, place.m_hash);
            place.m_slot->node.store(node, std::memory_order_seq_cst);
            shard.size.fetch_add(1, std::memory_order_relaxed);
        }
        place.m_node = node;
    }
    void erase(Shard& shard, Place& place) {
        if (place.m_slot != nullptr) {
            place.m_slot->node.store(nullptr, std::memory_order_seq_cst);
            shard.retired.retire(place.m_node);
            shard.size.fetch_sub(1, std::memory_order_relaxed);
            place.m_slot = nullptr;
            place.m_node = nullptr;
        }
    }
    /// A slot with `hash` and without a node: an erased one, or a new one.
    [[nodiscard]] Slot& free_slot(Shard& shard, std::uint64_t hash) {
        Slot* array = shard.array.load(std::memory_order_relaxed);
        if (array == nullptr || (shard.used + 1) * 8 > (mask_of(array) + 1) * 5) {
            array = grow(shard);
        }
        std::uint64_t const mask = mask_of(array);
        for (std::uint64_t at = hash >> 1;; ++at) {
            Slot& slot = array[1 + (at & mask)];
            std::uint64_t const found = slot.hash.load(std::memory_order_relaxed);
            if (found == 0) {
                ++shard.used;
            }
            if (found == 0 || slot.node.load(std::memory_order_relaxed) == nullptr) {
                slot.hash.store(hash, std::memory_order_release);
                return slot;
            }
        }
    }
    Slot* grow(Shard& shard) {
        std::size_t const live = shard.size.load(std::memory_order_relaxed);
        std::size_t const capacity = std::max(first_capacity, std::bit_ceil((live + 1) * 2));
        auto* const bigger = new Slot[capacity + 1];
        bigger->hash.store(capacity - 1, std::memory_order_relaxed);
        Slot* const array = shard.array.load(std::memory_order_relaxed);
        for (std::uint64_t at = 0; array != nullptr && at <= mask_of(array); ++at) {
            Slot const& slot = array[1 + at];
            if (Node* const node = slot.node.load(std::memory_order_relaxed)) {
                copy_into(bigger, slot.hash.load(std::memory_order_relaxed), node);
            }
        }
        shard.used = live;
        shard.array.store(bigger, std::memory_order_seq_cst);
        retire_array(shard, array);
        return bigger;
    }
    static void copy_into(Slot* array, std::uint64_t hash, Node* node) noexcept {
        std::uint64_t const mask = mask_of(array);
        std::uint64_t at = hash >> 1;
        while (array[1 + (at & mask)].hash.load(std::memory_order_relaxed) != 0) {
            ++at;
        }
        array[1 + (at & mask)].hash.store(hash, std::memory_order_relaxed);
        array[1 + (at & mask)].node.store(node, std::memory_order_relaxed);
    }
    static void retire_array(Shard& shard, Slot* array) {
        if (array != nullptr) {
            shard.retired.retire(array, [](void* gone) noexcept { delete[] static_cast<Slot*>(gone); });
        }
    }
    static void free_all(Shard& shard) noexcept {
        Slot* const array = shard.array.load(std::memory_order_relaxed);
        for (std::uint64_t at = 0; array != nullptr && at <= mask_of(array); ++at) {
            delete array[1 + at].node.load(std::memory_order_relaxed);
        }
        delete[] array;
    }

    std::array<Shard, std::size_t{1} << shard_bits> m_shards;
};

} // namespace sinew::detail
