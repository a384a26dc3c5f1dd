/// ReportLimiter: lets the same report through five times in ten seconds.
///
/// Invariant: its memory is fixed: two reports that share a place share a limit. Threading: locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

namespace sinew::detail {

class ReportLimiter {
public:
    static constexpr std::uint32_t reports_per_window = 5;
    static constexpr std::int64_t window_ns = 10'000'000'000;
    /// What reports count as the same.
    [[nodiscard]] static std::size_t key(std::string_view label, std::string_view place,
                                         std::uint32_t line) noexcept;
    /// How many were left out before this one; nothing when this one is to be left out.
    [[nodiscard]] std::optional<std::uint64_t> admit(std::size_t key, std::int64_t now_ns) noexcept;

private:
    struct Slot {
        std::size_t key = 0;
        std::int64_t began_ns = 0;
        std::uint32_t admitted = 0;
        std::uint64_t left_out = 0;
    };
    std::mutex m_mutex;
    std::array<Slot, 64> m_slots{};
};

} // namespace sinew::detail
