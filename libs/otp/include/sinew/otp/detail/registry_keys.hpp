/// RegistryKeys: which keys each process has in a registry, so that its end takes them away.
///
/// Invariant: while a process is known here, its end will remove its entries. What remember() and forget() cost
/// doesn't depend on how many keys it has. Threading: any thread.
#pragma once

#include <sinew/otp/detail/exit_hook.hpp>
#include <sinew/otp/detail/flat_table.hpp>
#include <sinew/otp/pid.hpp>
#include <sinew/otp/process.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sinew::detail {

template<typename Key>
class RegistryKeys {
public:
    /// The registry, as its keys see it.
    class Entries {
    public:
        Entries() = default;
        Entries(Entries const&) = delete;
        Entries& operator=(Entries const&) = delete;
        Entries(Entries&&) = delete;
        Entries& operator=(Entries&&) = delete;
        virtual ~Entries() = default;
        virtual void remove(Key const& key, Pid process) = 0;
    };

    explicit RegistryKeys(std::string name)
        : m_name(std::move(name)) {}
    void begin(std::shared_ptr<Entries> const& entries) { m_hook = std::make_shared<Hook>(*this, entries); }
    /// The current process, `pid`, has `key` from now on. False: it is ending.
    [[nodiscard]] bool remember(Pid pid, Key const& key) {
        std::lock_guard const lock(m_mutex);
        auto const [at, is_new] = m_keys.try_emplace(pid);
        if (is_new && !on_exit(m_hook)) {
            m_keys.erase(at);
            return false;
        }
        if (!at->second.insert(key, 1)) {
            ++*at->second.find(key);
        }
        return true;
    }
    /// `pid` has `key` no longer, however often it had it. False: it had not.
    [[nodiscard]] bool forget(Pid pid, Key const& key) {
        std::lock_guard const lock(m_mutex);
        auto const at = m_keys.find(pid);
        return at != m_keys.end() && at->second.erase(key);
    }
    /// As often as it has each.
    [[nodiscard]] std::vector<Key> of(Pid pid) const {
        std::lock_guard const lock(m_mutex);
        std::vector<Key> keys;
        if (auto const at = m_keys.find(pid); at != m_keys.end()) {
            for (auto const& [key, times] : at->second.entries()) {
                keys.insert(keys.end(), times, key);
            }
        }
        return keys;
    }
    [[nodiscard]] std::string const& name() const noexcept { return m_name; }

private:
    /// And how often.
    using Keys = FlatTable<Key, std::size_t>;
    /// Doesn't keep the registry alive: its handles do.
    class Hook final : public ExitHook {
    public:
        Hook(RegistryKeys& keys, std::weak_ptr<Entries> entries)
            : m_keys(&keys)
            , m_entries(std::move(entries)) {}
        void process_ended(Pid pid, ExitReason const& /*reason*/) noexcept override {
            if (auto const entries = m_entries.lock()) {
                Keys const keys = m_keys->take(pid);
                for (auto const& [key, times] : keys.entries()) {
                    entries->remove(key, pid);
                }
            }
        }

    private:
        RegistryKeys* m_keys;
        std::weak_ptr<Entries> m_entries;
    };
    [[nodiscard]] Keys take(Pid pid) {
        std::lock_guard const lock(m_mutex);
        auto node = m_keys.extract(pid);
        return node.empty() ? Keys() : std::move(node.mapped());
    }

    std::string m_name;
    mutable std::mutex m_mutex;
    std::unordered_map<Pid, Keys> m_keys;
    std::shared_ptr<Hook> m_hook;
};

} // namespace sinew::detail
