/// Table: rows shared by all processes of a program, found by key (OTP's ETS in small).
///
///     auto const readings = Table<std::string, double>::create({.name = "readings"});
///     (void)readings.insert("garden", 21.5);
///     std::optional<double> const now = readings.lookup("garden");    // any process, any thread, no lock
///
/// Kinds: set (one row a key), ordered_set (the same, in the order of operator<), bag (several rows a key, no
/// two equal) and duplicate_bag. Readers never lock and never wait; a change of one key is atomic: a reader
/// sees the row before it or after it. The process that makes a table owns it; with its end the rows go,
/// unless an heir is named. Copies are handles of the same table.
/// Writing a bag copies the rows of that key. Errors of writers: denied: the table's access doesn't allow it;
/// unavailable: its owner has ended. Readers of a table they may not read, or whose owner has ended, find
/// nothing. Threading: any thread. A function handed in runs under a guard: it may not wait.
#pragma once

#include <sinew/otp/detail/concurrent_map.hpp>
#include <sinew/otp/detail/ordered_map.hpp>
#include <sinew/otp/detail/table_owner.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace sinew {

/// How many rows a key may have, and whether they are in order.
enum class TableKind : std::uint8_t { set, ordered_set, bag, duplicate_bag };

/// Every change to the table's owner: what the new owner gets (handle_info), from give_to() or as the heir.
template<typename T>
struct TableTransfer {
    /// The table.
    T table;
    /// Who had it.
    Pid from;
};

/// A handle of a table; see the top of the file.
template<typename Key, typename Value, TableKind Kind = TableKind::set>
class Table {
    static constexpr bool is_bag = Kind == TableKind::bag || Kind == TableKind::duplicate_bag;
    static constexpr bool is_ordered = Kind == TableKind::ordered_set;
    using Rows = std::conditional_t<is_bag, std::vector<Value>, Value>;
    using Map =
        std::conditional_t<is_ordered, detail::OrderedMap<Key, Rows>, detail::ConcurrentMap<Key, Rows>>;

public:
    struct Options {
        /// For error texts.
        std::string name = "table";
        TableAccess access = TableAccess::owner_writes;
        /// Gets the table when its owner ends.
        Recipient<TableTransfer<Table>> heir = {};
    };
    using Row = std::pair<Key, Value>;

    /// Made in a process, it is that process's; made outside, it lives while a handle does.
    [[nodiscard]] static Table create(Options options = {}) { return Table(std::move(options)); }

    /// The row of `key` (a bag: all of them).
    [[nodiscard]] auto lookup(Key const& key) const {
        std::conditional_t<is_bag, std::vector<Value>, std::optional<Value>> result;
        (void)read(key, [&result](Rows const& rows) { result = rows; });
        return result;
    }
    /// Calls function(row) without copying it (a bag: with the vector of its rows). False: there is none.
    template<typename F>
    bool read(Key const& key, F&& function) const {
        return m_state->owner.may_read() && m_state->map.read(key, std::forward<F>(function));
    }
    /// Whether there is a row of that key.
    [[nodiscard]] bool contains(Key const& key) const {
        return read(key, [](Rows const&) {});
    }
    /// Rows; for a bag: keys.
    [[nodiscard]] std::size_t size() const noexcept {
        return m_state->owner.may_read() ? m_state->map.size() : 0;
    }
    /// Calls function(key, row) for each row; one that stays for the whole time is met exactly once. In an
    /// ordered set they come in order and show one moment.
    template<typename F>
    void for_each(F function) const {
        if (!m_state->owner.may_read()) {
            return;
        }
        m_state->map.for_each([&function](Key const& key, Rows const& rows) {
            if constexpr (is_bag) {
                for (Value const& row : rows) {
                    function(key, row);
                }
            } else {
                function(key, rows);
            }
        });
    }
    /// The rows for which predicate(key, row) holds.
    template<typename F>
    [[nodiscard]] std::vector<Row> select(F predicate) const {
        std::vector<Row> result;
        for_each([&](Key const& key, Value const& row) {
            if (predicate(key, row)) {
                result.emplace_back(key, row);
            }
        });
        return result;
    }
    /// Ordered sets: the rows from `first` on, `limit` at most.
    [[nodiscard]] std::vector<Row> from(Key const& first, std::size_t limit) const
        requires is_ordered
    {
        std::vector<Row> result;
        if (limit != 0 && m_state->owner.may_read()) {
            m_state->map.for_each_from(first, [&](Key const& key, Value const& row) {
                result.emplace_back(key, row);
                return result.size() < limit;
            });
        }
        return result;
    }

    /// Puts a row: in place of the one with that key, or beside those (a bag refuses a second equal one
    /// silently).
    Result<> insert(Key const& key, Value value) const {
        return change(key, [&value](auto& place) {
            if constexpr (!is_bag) {
                place.put(std::move(value));
            } else {
                std::vector<Value> rows =
                    place.current() != nullptr ? *place.current() : std::vector<Value>();
                if (Kind == TableKind::bag && std::ranges::find(rows, value) != rows.end()) {
                    return;
                }
                rows.push_back(std::move(value));
                place.put(std::move(rows));
            }
        });
    }
    /// Puts a row if the key has none. True: it did.
    Result<bool> insert_new(Key const& key, Value value) const {
        bool is_new = false;
        TRY_OK(change(key, [&](auto& place) {
            is_new = place.current() == nullptr;
            if (is_new) {
                if constexpr (is_bag) {
                    place.put({std::move(value)});
                } else {
                    place.put(std::move(value));
                }
            }
        }));
        return is_new;
    }
    /// Calls function(Value&) on a copy of the row and puts that; nobody sees it half done. False: there is
    /// no such row. An exception leaves the row as it was.
    template<typename F>
        requires(!is_bag)
    Result<bool> update(Key const& key, F function) const {
        bool is_there = false;
        TRY_OK(change(key, [&](auto& place) {
            is_there = place.current() != nullptr;
            if (is_there) {
                Value copy = *place.current();
                function(copy);
                place.put(std::move(copy));
            }
        }));
        return is_there;
    }
    /// Adds `step` to the row's number (to `first` when there is none) and returns the sum.
    Result<Value> update_counter(Key const& key, Value step, Value first = {}) const
        requires(!is_bag && std::is_arithmetic_v<Value>)
    {
        Value sum{};
        TRY_OK(change(key, [&](auto& place) {
            sum = static_cast<Value>((place.current() != nullptr ? *place.current() : first) + step);
            place.put(sum);
        }));
        return sum;
    }
    /// Takes the row out (a bag: all of that key).
    auto take(Key const& key) const {
        using Taken = std::conditional_t<is_bag, std::vector<Value>, std::optional<Value>>;
        Taken taken;
        Result<> const changed = change(key, [&taken](auto& place) {
            if (place.current() != nullptr) {
                taken = *place.current();
                place.erase();
            }
        });
        return changed ? Result<Taken>(std::move(taken)) : Result<Taken>(std::unexpected(refused()));
    }
    /// Takes the rows of that key out.
    Result<> erase(Key const& key) const {
        return change(key, [](auto& place) { place.erase(); });
    }
    /// Bags: takes one row out, all that equal `value`.
    Result<> erase_row(Key const& key, Value const& value) const
        requires is_bag
    {
        return change(key, [&value](auto& place) {
            std::vector<Value> rows = place.current() != nullptr ? *place.current() : std::vector<Value>();
            std::erase(rows, value);
            if (rows.empty()) {
                place.erase();
            } else {
                place.put(std::move(rows));
            }
        });
    }
    /// Takes all rows out.
    [[nodiscard]] Result<> clear() const {
        TRY_OK(m_state->owner.check_write());
        m_state->map.clear();
        return {};
    }

    /// Only the owner can; the new owner gets a TableTransfer.
    Result<> give_to(Recipient<TableTransfer<Table>> const& receiver) const {
        TRY_OK(m_state->owner.give_to(receiver.pid()));
        receiver.send({*this, sinew::self()});
        return {};
    }
    /// Empty: no process.
    [[nodiscard]] Pid owner() const noexcept { return m_state->owner.pid(); }
    /// False: its owner has ended, and nobody inherited it.
    [[nodiscard]] bool is_alive() const noexcept { return m_state->owner.is_alive(); }
    friend bool operator==(Table const& a, Table const& b) noexcept { return a.m_state == b.m_state; }

private:
    struct State final : detail::TableOwner::Rows {
        State(Options const& options)
            : owner(options.name, options.access, options.heir.pid())
            , heir(options.heir) {}
        void drop() noexcept override { map.clear(); }
        void inherit(Pid from) override {
            heir.send({Table(std::static_pointer_cast<State>(this->shared_from_this())), from});
        }
        detail::TableOwner owner;
        Recipient<TableTransfer<Table>> heir;
        Map map;
    };

    explicit Table(Options options)
        : m_state(std::make_shared<State>(options)) {
        m_state->owner.begin(m_state);
    }
    explicit Table(std::shared_ptr<State> state) noexcept
        : m_state(std::move(state)) {}
    template<typename F>
    Result<> change(Key const& key, F function) const {
        TRY_OK(m_state->owner.check_write());
        m_state->map.write(key, [&function](auto& place) { function(place); });
        return {};
    }
    [[nodiscard]] Error refused() const { return m_state->owner.check_write().error(); }

    std::shared_ptr<State> m_state;
};

} // namespace sinew
