/// Partitions<S>: equal servers that share a load, each responsible for a part of the keys (OTP's
/// PartitionSupervisor).
///
///     Partitions<Store> const stores("stores", 4);
///     stores.tree([](std::size_t number) { return Store::Options{.part = number}; });      // in the tree
///     call(stores.at(sensor_id), Get{sensor_id});
///
/// Invariant: a key always means the same partition. Partition N is registered as name<S>("stores/N").
/// Threading: a value; at() may be called anywhere.
#pragma once

#include <sinew/otp/name.hpp>
#include <sinew/otp/supervisor.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace sinew {

template<typename S>
class Partitions {
public:
    /// `count` partitions; 0: one for each processor this program may use.
    explicit Partitions(std::string const& text, std::size_t count = 0) {
        if (count == 0) {
            count = std::max(1U, std::thread::hardware_concurrency());
        }
        for (std::size_t number = 0; number < count; ++number) {
            m_names.push_back(TextName<S>{text + "/" + std::to_string(number)});
        }
    }

    /// The supervisor of all partitions; `options_for(number)` makes the options of each. If one fails to
    /// start, the whole does.
    template<typename F>
        requires std::is_invocable_r_v<typename S::Options, F&, std::size_t>
    [[nodiscard]] Supervisor tree(F options_for, SupervisorOptions options = {}) const {
        Supervisor result{options, {}};
        for (std::size_t number = 0; number < size(); ++number) {
            result.children.push_back(child<S>(options_for(number), {.id = m_names[number].text}));
        }
        return result;
    }
    /// How many partitions there are.
    [[nodiscard]] std::size_t size() const noexcept { return m_names.size(); }
    /// An integer modulo size(), anything else by its std::hash.
    template<typename Key>
    [[nodiscard]] std::size_t number_of(Key const& key) const noexcept {
        if constexpr (std::integral<Key>) {
            return static_cast<std::size_t>(static_cast<std::make_unsigned_t<Key>>(key) % size());
        } else {
            return std::hash<Key>{}(key) % size();
        }
    }
    /// The partition responsible for `key`: usable wherever a name is.
    template<typename Key>
    [[nodiscard]] TextName<S> const& at(Key const& key) const noexcept {
        return m_names[number_of(key)];
    }
    /// All of them, in order.
    [[nodiscard]] std::vector<TextName<S>> const& all() const noexcept { return m_names; }

private:
    std::vector<TextName<S>> m_names;
};

} // namespace sinew
