/// OrderedMap: a sorted map whose readers never lock and always see one moment's content.
///
/// Layout: a treap that writers change by copying the path from the root; a new root publishes the change.
/// Invariant: a node that a reader can see never changes. Threading: everything may be called on any thread;
/// writers lock each other out.
#pragma once

#include <sinew/otp/detail/epoch.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

namespace sinew::detail {

template<typename Key, typename Value>
class OrderedMap {
    struct Row;

public:
    /// What a writer may do with the place of one key.
    class Place {
    public:
        /// Null: there is none.
        [[nodiscard]] Value const* current() const noexcept {
            return m_row != nullptr ? &m_row->value : nullptr;
        }
        void put(Value value) {
            std::unique_ptr<Row const> row(new Row{*m_key, std::move(value)});
            Row const* const fresh = row.get();
            m_map->put(std::move(row), m_row);
            m_row = fresh;
        }
        void erase() {
            if (m_row != nullptr) {
                m_map->erase(*m_row);
                m_row = nullptr;
            }
        }

    private:
        friend class OrderedMap;
        OrderedMap* m_map = nullptr;
        Key const* m_key = nullptr;
        Row const* m_row = nullptr;
    };

    OrderedMap() = default;
    OrderedMap(OrderedMap const&) = delete;
    OrderedMap& operator=(OrderedMap const&) = delete;
    OrderedMap(OrderedMap&&) = delete;
    OrderedMap& operator=(OrderedMap&&) = delete;
    ~OrderedMap() { free_tree(m_root.load(std::memory_order_relaxed)); }

    template<typename F>
    bool read(Key const& key, F&& function) const {
        EpochGuard const guard;
        Row const* const row = find(key);
        if (row == nullptr) {
            return false;
        }
        std::forward<F>(function)(row->value);
        return true;
    }
    template<typename F>
    decltype(auto) write(Key const& key, F&& function) {
        std::lock_guard const lock(m_mutex);
        Place place;
        place.m_map = this;
        place.m_key = &key;
        place.m_row = find(key);
        return std::forward<F>(function)(place);
    }
    /// Calls function(key, value) for each, in order, as they were at one moment.
    template<typename F>
    void for_each(F&& function) const {
        EpochGuard const guard;
        visit(m_root.load(std::memory_order_seq_cst), nullptr, function);
    }
    /// The same from the first key that is not below `first`, until `function` returns false.
    template<typename F>
    void for_each_from(Key const& first, F&& function) const {
        EpochGuard const guard;
        visit(m_root.load(std::memory_order_seq_cst), &first, function);
    }
    void clear() {
        std::lock_guard const lock(m_mutex);
        retire_tree(m_root.exchange(nullptr, std::memory_order_seq_cst));
        m_size.store(0, std::memory_order_relaxed);
    }
    [[nodiscard]] std::size_t size() const noexcept { return m_size.load(std::memory_order_relaxed); }

private:
    struct Row {
        Key key;
        Value value;
    };
    struct Node {
        Row const* row = nullptr;
        std::uint64_t priority = 0;
        Node* left = nullptr;
        Node* right = nullptr;
    };

    [[nodiscard]] Row const* find(Key const& key) const noexcept {
        Node const* node = m_root.load(std::memory_order_seq_cst);
        while (node != nullptr) {
            if (key < node->row->key) {
                node = node->left;
            } else if (node->row->key < key) {
                node = node->right;
            } else {
                return node->row;
            }
        }
        return nullptr;
    }
    /// False: `function` asked to stop.
    template<typename F>
    static bool visit(Node const* node, Key const* first, F& function) {
        if (node == nullptr) {
            return true;
        }
        bool const is_in_range = first == nullptr || !(node->row->key < *first);
        if (is_in_range && !visit(node->left, first, function)) {
            return false;
        }
        if constexpr (std::is_void_v<decltype(function(node->row->key, node->row->value))>) {
            if (is_in_range) {
                function(node->row->key, node->row->value);
            }
        } else if (is_in_range && !function(node->row->key, node->row->value)) {
            return false;
        }
        return visit(node->right, is_in_range ? nullptr : first, function);
    }
    /// A copy that this change may still alter; the original is retired once the change is published.
    [[nodiscard]] Node* copy(Node const* node) {
        m_replaced.push_back(node);
        return keep(std::make_unique<Node>(*node));
    }
    [[nodiscard]] Node* keep(std::unique_ptr<Node> fresh) {
        m_fresh.push_back(std::move(fresh));
        return m_fresh.back().get();
    }
    /// Makes the tree that `change` returns the map's. When it throws, the map stays as it was.
    template<typename F>
    void publish(F&& change, Row const* replaced) {
        m_replaced.clear();
        m_fresh.clear();
        Node* const root = std::forward<F>(change)();
        m_retired.reserve(m_replaced.size() + 1);
        m_root.store(root, std::memory_order_seq_cst);
        for (std::unique_ptr<Node>& node : m_fresh) {
            (void)node.release(); // The tree owns it.
        }
        for (Node const* const node : m_replaced) {
            m_retired.retire(node);
        }
        if (replaced != nullptr) {
            m_retired.retire(replaced);
        }
    }
    void put(std::unique_ptr<Row const> row, Row const* replaced) {
        Node* const root = m_root.load(std::memory_order_relaxed);
        publish([&] { return insert(root, *row); }, replaced);
        (void)row.release(); // The tree owns it.
        if (replaced == nullptr) {
            m_size.fetch_add(1, std::memory_order_relaxed);
        }
    }
    [[nodiscard]] Node* insert(Node* node, Row const& row) {
        if (node == nullptr) {
            m_random = m_random * 6364136223846793005ULL + 1442695040888963407ULL;
            return keep(std::make_unique<Node>(Node{.row = &row, .priority = m_random >> 16}));
        }
        Node* const fresh = copy(node);
        if (row.key < fresh->row->key) {
            fresh->left = insert(fresh->left, row);
            if (fresh->left->priority > fresh->priority) {
                Node* const top = std::exchange(fresh->left, fresh->left->right);
                top->right = fresh;
                return top;
            }
        } else if (fresh->row->key < row.key) {
            fresh->right = insert(fresh->right, row);
            if (fresh->right->priority > fresh->priority) {
                Node* const top = std::exchange(fresh->right, fresh->right->left);
                top->left = fresh;
                return top;
            }
        } else {
            fresh->row = &row;
        }
        return fresh;
    }
    void erase(Row const& row) {
        Node* const root = m_root.load(std::memory_order_relaxed);
        publish([&] { return remove(root, row.key); }, &row);
        m_size.fetch_sub(1, std::memory_order_relaxed);
    }
    /// `key` is there.
    [[nodiscard]] Node* remove(Node* node, Key const& key) {
        bool const is_left = key < node->row->key;
        if (!is_left && !(node->row->key < key)) {
            m_replaced.push_back(node);
            return merge(node->left, node->right);
        }
        Node* const fresh = copy(node);
        Node*& side = is_left ? fresh->left : fresh->right;
        side = remove(side, key);
        return fresh;
    }
    [[nodiscard]] Node* merge(Node* left, Node* right) {
        if (left == nullptr || right == nullptr) {
            return left != nullptr ? left : right;
        }
        if (left->priority > right->priority) {
            Node* const fresh = copy(left);
            fresh->right = merge(fresh->right, right);
            return fresh;
        }
        Node* const fresh = copy(right);
        fresh->left = merge(left, fresh->left);
        return fresh;
    }
    void retire_tree(Node const* node) {
        if (node != nullptr) {
            retire_tree(node->left);
            retire_tree(node->right);
            m_retired.retire(node->row);
            m_retired.retire(node);
        }
    }
    static void free_tree(Node const* node) noexcept {
        if (node != nullptr) {
            free_tree(node->left);
            free_tree(node->right);
            delete node->row;
            delete node;
        }
    }

    std::atomic<Node*> m_root{nullptr};
    std::atomic<std::size_t> m_size{0};
    std::mutex m_mutex;
    std::uint64_t m_random = 42;
    // Of the change in progress: what it replaces, and by what.
    std::vector<Node const*> m_replaced;
    std::vector<std::unique_ptr<Node>> m_fresh;
    RetireList m_retired;
};

} // namespace sinew::detail
