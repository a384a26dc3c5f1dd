#include "core/registry.hpp"

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/pid.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

namespace sinew::detail {

Pid Registry::claim_type(std::size_t slot, Pid pid) noexcept {
    std::uint64_t holder = 0;
    if (m_types.at(slot).compare_exchange_strong(holder, pid.value(), std::memory_order_acq_rel)) {
        return {};
    }
    return Pid::from_value(holder);
}

void Registry::release_type(std::size_t slot, Pid pid) noexcept {
    std::uint64_t holder = pid.value();
    m_types.at(slot).compare_exchange_strong(holder, 0, std::memory_order_acq_rel);
}

Pid Registry::find_type(std::size_t slot) const noexcept {
    return Pid::from_value(m_types[slot].load(std::memory_order_acquire));
}

Pid Registry::claim_name(std::string const& name, Behaviour const& behaviour, Pid pid) {
    std::lock_guard const lock(m_mutex);
    auto const [at, is_new] = m_names.try_emplace(name, Owner{pid, &behaviour});
    return is_new ? Pid() : at->second.pid;
}

void Registry::release_name(std::string const& name, Pid pid) noexcept {
    std::lock_guard const lock(m_mutex);
    auto const at = m_names.find(name);
    if (at != m_names.end() && at->second.pid == pid) {
        m_names.erase(at);
    }
}

Pid Registry::find_name(std::string const& name) const {
    std::lock_guard const lock(m_mutex);
    auto const at = m_names.find(name);
    return at != m_names.end() ? at->second.pid : Pid();
}

Pid Registry::find_name(std::string const& name, Behaviour const& behaviour) const {
    std::lock_guard const lock(m_mutex);
    auto const at = m_names.find(name);
    return at != m_names.end() && at->second.behaviour == &behaviour ? at->second.pid : Pid();
}

} // namespace sinew::detail
