/// Pid and the other small identities: processes, monitors, timers.
///
/// Invariant: an identity is never reused. A slot whose generation would wrap is retired instead.
/// Threading: plain values.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sinew {

/// Names one process of one node, for ever: after its end the Pid is stale and reaches nobody. The empty Pid
/// names none.
class Pid {
public:
    /// How a Pid is laid out.
    static constexpr unsigned index_bits = 24;
    static constexpr std::uint64_t index_mask = (std::uint64_t{1} << index_bits) - 1;

    constexpr Pid() = default;
    /// For the runtime and tests.
    constexpr Pid(std::uint64_t index, std::uint64_t generation) noexcept
        : m_value(generation << index_bits | index) {}
    /// The inverse of value().
    [[nodiscard]] static constexpr Pid from_value(std::uint64_t value) noexcept {
        Pid pid;
        pid.m_value = value;
        return pid;
    }
    /// Its parts, and both in one number.
    [[nodiscard]] constexpr std::uint64_t index() const noexcept { return m_value & index_mask; }
    [[nodiscard]] constexpr std::uint64_t generation() const noexcept { return m_value >> index_bits; }
    [[nodiscard]] constexpr std::uint64_t value() const noexcept { return m_value; }
    [[nodiscard]] constexpr explicit operator bool() const noexcept { return m_value != 0; }
    constexpr auto operator<=>(Pid const&) const = default;
    /// "<12.3>": slot and generation.
    [[nodiscard]] std::string to_string() const;

private:
    std::uint64_t m_value = 0;
};

/// Names one monitor(); the Down message carries it.
struct MonitorRef {
    /// Unique in its node.
    std::uint64_t value = 0;
    constexpr auto operator<=>(MonitorRef const&) const = default;
};

} // namespace sinew

/// Pids as keys.
template<>
struct std::hash<sinew::Pid> {
    /// The hash of its value.
    std::size_t operator()(sinew::Pid pid) const noexcept { return std::hash<std::uint64_t>{}(pid.value()); }
};
