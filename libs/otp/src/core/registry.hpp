/// Registry: the names of a node's processes: one slot per server class, and texts.
///
/// Invariant: a name means at most one process, and a process gives its names up before anyone hears of its
/// end. Threading: any thread; a class's slot is one atomic, texts lock.
#pragma once

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/pid.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace sinew::detail {

class Registry {
public:
    static constexpr std::size_t type_slot_limit = 4096;
    /// The empty Pid: it is `pid`'s now. Otherwise whose it is.
    [[nodiscard]] Pid claim_type(std::size_t slot, Pid pid) noexcept;
    void release_type(std::size_t slot, Pid pid) noexcept;
    [[nodiscard]] Pid find_type(std::size_t slot) const noexcept;

    [[nodiscard]] Pid claim_name(std::string const& name, Behaviour const& behaviour, Pid pid);
    void release_name(std::string const& name, Pid pid) noexcept;
    /// Whoever has it.
    [[nodiscard]] Pid find_name(std::string const& name) const;
    /// Empty also when a process of another class has it.
    [[nodiscard]] Pid find_name(std::string const& name, Behaviour const& behaviour) const;

private:
    struct Owner {
        Pid pid;
        Behaviour const* behaviour = nullptr;
    };
    std::array<std::atomic<std::uint64_t>, type_slot_limit> m_types{};
    mutable std::mutex m_mutex;
    std::unordered_map<std::string, Owner> m_names;
};

} // namespace sinew::detail
