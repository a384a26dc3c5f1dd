/// Registry: processes under keys of any type, with a value each (Elixir's Registry).
///
///     auto const rooms = Registry<std::string>::create();                    // unique keys
///     node.start<Room>({.via = rooms.via<Room>("lobby")});                   // started under its key
///     call(rooms.via<Room>("lobby"), Enter{"anna"});                         // usable wherever a name is
///
///     auto const viewers = DuplicateRegistry<std::string, Language>::create();   // many processes a key
///     viewers.dispatch("news", [](auto const& entries) { ... });
///
/// Invariant: a process registers itself only; its entries are gone before anyone hears of its end.
/// Copies are handles of the same registry. Looking up a unique key never locks.
/// Threading: looking up and dispatch: any thread; registering: in a process.
#pragma once

#include <sinew/otp/detail/concurrent_map.hpp>
#include <sinew/otp/detail/group.hpp>
#include <sinew/otp/detail/registry_keys.hpp>
#include <sinew/otp/server.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sinew {

/// What a listener gets (handle_info) for each change.
template<typename Key>
struct RegistryEvent {
    /// What happened.
    enum class What : std::uint8_t { registered, unregistered };
    /// What happened.
    What what = What::registered;
    /// Under which key.
    Key key;
    /// To whom.
    Pid process;
};

/// How a registry is made.
template<typename Key>
struct RegistryOptions {
    /// For error texts.
    std::string name = "registry";
    /// Who hears of changes.
    std::vector<Recipient<RegistryEvent<Key>>> listeners = {};
};

/// A process and its value.
template<typename Value>
struct RegistryEntry {
    /// Who.
    Pid process;
    /// What it registered with.
    Value value;
};

template<typename Key, typename Value>
class Registry;

/// The process registered under a key, as an address: for call(), cast(), send(), whereis(), and as the `via`
/// of StartOptions and ChildOptions.
template<typename S, typename Key, typename Value>
class Via {
public:
    using ServerType = S;
    /// That key of that registry.
    Via(Registry<Key, Value> registry, Key key)
        : m_registry(std::move(registry))
        , m_key(std::move(key)) {}
    /// Empty when nobody is registered, or a process of another class.
    [[nodiscard]] Pid resolve() const { return m_registry.find(m_key, detail::behaviour_constant<S>()); }
    /// For StartOptions and ChildOptions.
    operator std::shared_ptr<detail::NameClaim const>() const { // NOLINT(google-explicit-constructor)
        class Claim final : public detail::NameClaim {
        public:
            explicit Claim(Via via)
                : m_via(std::move(via)) {}
            [[nodiscard]] Pid claim(Pid pid, detail::Behaviour const& behaviour) const override {
                return m_via.m_registry.claim(m_via.m_key, Value{}, pid, behaviour);
            }

        private:
            Via m_via;
        };
        return std::make_shared<Claim const>(*this);
    }

private:
    Registry<Key, Value> m_registry;
    Key m_key;
};

/// One process a key.
template<typename Key, typename Value = std::monostate>
class Registry {
public:
    using Options = RegistryOptions<Key>;
    using Entry = RegistryEntry<Value>;
    /// An empty registry.
    [[nodiscard]] static Registry create(Options options = {}) { return Registry(std::move(options)); }

    /// Registers the process whose handler runs. Error exists: another process (or it itself) has the key.
    Result<> register_key(Key const& key, Value value = {}) const {
        Pid const holder = claim(key, std::move(value), self(), detail::current_behaviour());
        if (holder) {
            return failure(ErrorCode::exists, m_state->keys.name() + ": the key is registered already, by " +
                                                  holder.to_string());
        }
        return {};
    }
    /// Takes the entry of the process whose handler runs away, if it has one.
    void unregister(Key const& key) const {
        if (m_state->keys.forget(self(), key)) {
            m_state->remove(key, self());
        }
    }
    /// Changes the value under `key`: calls function(Value&) on a copy. Only its process can. False: it isn't
    /// registered there.
    template<typename F>
    bool update_value(Key const& key, F function) const {
        return m_state->map.write(key, [&](auto& place) {
            if (place.current() == nullptr || place.current()->process != self()) {
                return false;
            }
            Owner copy = *place.current();
            function(copy.value);
            place.put(std::move(copy));
            return true;
        });
    }
    /// Who has that key now, alive.
    [[nodiscard]] std::optional<Entry> lookup(Key const& key) const {
        std::optional<Entry> result;
        (void)m_state->map.read(key, [&result](Owner const& owner) {
            if (is_alive(owner.process)) {
                result.emplace(owner.process, owner.value);
            }
        });
        return result;
    }
    /// Who has that key now, alive; empty: nobody.
    [[nodiscard]] Pid whereis(Key const& key) const {
        Pid result;
        (void)m_state->map.read(key, [&result](Owner const& owner) {
            if (is_alive(owner.process)) {
                result = owner.process;
            }
        });
        return result;
    }
    /// An address for the S under `key`.
    template<typename S>
    [[nodiscard]] Via<S, Key, Value> via(Key key) const {
        return Via<S, Key, Value>(*this, std::move(key));
    }
    /// Calls function(entry) in the caller if the key is registered.
    template<typename F>
    void dispatch(Key const& key, F function) const {
        if (auto const entry = lookup(key)) {
            function(*entry);
        }
    }
    /// Calls function(key, entry) for each.
    template<typename F>
    void for_each(F function) const {
        m_state->map.for_each([&function](Key const& key, Owner const& owner) {
            function(key, Entry{owner.process, owner.value});
        });
    }
    /// The keys of a process.
    [[nodiscard]] std::vector<Key> keys(Pid process) const { return m_state->keys.of(process); }
    /// How many keys there are.
    [[nodiscard]] std::size_t size() const noexcept { return m_state->map.size(); }

private:
    template<typename S, typename K, typename V>
    friend class Via;
    struct Owner {
        Pid process;
        Value value;
        detail::Behaviour const* behaviour = nullptr;
    };
    struct State final : detail::RegistryKeys<Key>::Entries {
        explicit State(Options options)
            : keys(std::move(options.name))
            , listeners(std::move(options.listeners)) {}
        void remove(Key const& key, Pid process) override {
            bool const removed = map.write(key, [&](auto& place) {
                bool const is_its = place.current() != nullptr && place.current()->process == process;
                if (is_its) {
                    place.erase();
                }
                return is_its;
            });
            if (removed) {
                tell(RegistryEvent<Key>::What::unregistered, key, process);
            }
        }
        void tell(RegistryEvent<Key>::What what, Key const& key, Pid process) const {
            for (auto const& listener : listeners) {
                listener.send({what, key, process});
            }
        }
        detail::RegistryKeys<Key> keys;
        std::vector<Recipient<RegistryEvent<Key>>> listeners;
        detail::ConcurrentMap<Key, Owner> map;
    };

    explicit Registry(Options options)
        : m_state(std::make_shared<State>(std::move(options))) {
        m_state->keys.begin(m_state);
    }
    [[nodiscard]] Pid claim(Key const& key, Value value, Pid pid, detail::Behaviour const& behaviour) const {
        Pid const holder = m_state->map.write(key, [&](auto& place) {
            if (place.current() != nullptr && is_alive(place.current()->process)) {
                return place.current()->process;
            }
            if (!m_state->keys.remember(pid, key)) {
                return pid; // It is ending.
            }
            place.put(Owner{pid, std::move(value), &behaviour});
            return Pid();
        });
        if (!holder) {
            m_state->tell(RegistryEvent<Key>::What::registered, key, pid);
        }
        return holder;
    }
    [[nodiscard]] Pid find(Key const& key, detail::Behaviour const& behaviour) const {
        Pid result;
        (void)m_state->map.read(key, [&](Owner const& owner) {
            if (owner.behaviour == &behaviour && is_alive(owner.process)) {
                result = owner.process;
            }
        });
        return result;
    }

    std::shared_ptr<State> m_state;
};

/// Many processes a key, and one process several times.
template<typename Key, typename Value = std::monostate>
class DuplicateRegistry {
public:
    using Options = RegistryOptions<Key>;
    using Entry = RegistryEntry<Value>;
    /// An empty registry.
    [[nodiscard]] static DuplicateRegistry create(Options options = {}) {
        return DuplicateRegistry(std::move(options));
    }

    /// Registers the process whose handler runs, once more if it is already. Error unavailable: it is ending.
    Result<> register_key(Key const& key, Value value = {}) const {
        bool const is_alive = m_state->map.write(key, [&](auto& place) {
            if (!m_state->keys.remember(self(), key)) {
                return false;
            }
            if (place.current() == nullptr) {
                place.put(std::make_shared<Group>());
            }
            (*place.current())->add(Entry{self(), std::move(value)});
            return true;
        });
        if (!is_alive) {
            return failure(ErrorCode::unavailable, m_state->keys.name() + ": the process is ending");
        }
        m_state->tell(RegistryEvent<Key>::What::registered, key, self());
        return {};
    }
    /// Takes all entries of the process whose handler runs under `key` away.
    void unregister(Key const& key) const {
        if (m_state->keys.forget(self(), key)) {
            m_state->remove(key, self());
        }
    }
    /// Those under `key`, in the order they registered.
    [[nodiscard]] std::vector<Entry> lookup(Key const& key) const {
        auto const entries = snapshot(key);
        return entries != nullptr ? *entries : std::vector<Entry>();
    }
    /// Calls function(entries) in the caller; not when there are none.
    template<typename F>
    void dispatch(Key const& key, F function) const {
        if (auto const entries = snapshot(key); entries != nullptr && !entries->empty()) {
            function(*entries);
        }
    }
    /// Calls function(key, entry) for each.
    template<typename F>
    void for_each(F function) const {
        m_state->map.for_each([&function](Key const& key, std::shared_ptr<Group> const& group) {
            for (Entry const& entry : *group->snapshot()) {
                function(key, entry);
            }
        });
    }
    /// How many entries there are.
    [[nodiscard]] std::size_t size() const {
        std::size_t count = 0;
        for_each([&count](Key const& /*key*/, Entry const& /*entry*/) { ++count; });
        return count;
    }
    /// How many processes have that key.
    [[nodiscard]] std::size_t count(Key const& key) const {
        auto const entries = snapshot(key);
        return entries != nullptr ? entries->size() : 0;
    }
    /// Several times if it is registered several times.
    [[nodiscard]] std::vector<Key> keys(Pid process) const { return m_state->keys.of(process); }

private:
    using Group = detail::Group<Entry>;
    struct State final : detail::RegistryKeys<Key>::Entries {
        explicit State(Options options)
            : keys(std::move(options.name))
            , listeners(std::move(options.listeners)) {}
        void remove(Key const& key, Pid process) override {
            std::size_t const removed = map.write(key, [process](auto& place) -> std::size_t {
                if (place.current() == nullptr) {
                    return 0;
                }
                std::shared_ptr<Group> const group = *place.current();
                std::size_t const count = group->remove(process);
                if (group->empty()) {
                    place.erase();
                }
                return count;
            });
            for (std::size_t i = 0; i < removed; ++i) {
                tell(RegistryEvent<Key>::What::unregistered, key, process);
            }
        }
        void tell(RegistryEvent<Key>::What what, Key const& key, Pid process) const {
            for (auto const& listener : listeners) {
                listener.send({what, key, process});
            }
        }
        detail::RegistryKeys<Key> keys;
        std::vector<Recipient<RegistryEvent<Key>>> listeners;
        detail::ConcurrentMap<Key, std::shared_ptr<Group>> map;
    };

    explicit DuplicateRegistry(Options options)
        : m_state(std::make_shared<State>(std::move(options))) {
        m_state->keys.begin(m_state);
    }
    [[nodiscard]] Group::Snapshot snapshot(Key const& key) const {
        typename Group::Snapshot result;
        (void)m_state->map.read(
            key, [&result](std::shared_ptr<Group> const& group) { result = group->snapshot(); });
        return result;
    }

    std::shared_ptr<State> m_state;
};

} // namespace sinew
