#include "core/report_limiter.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>

namespace sinew::detail {

std::size_t ReportLimiter::key(std::string_view label, std::string_view place, std::uint32_t line) noexcept {
    std::size_t const hash = std::hash<std::string_view>{}(label) ^
                             (std::hash<std::string_view>{}(place) * 31 + line * std::size_t{2654435761});
    return hash | 1;
}

std::optional<std::uint64_t> ReportLimiter::admit(std::size_t key, std::int64_t now_ns) noexcept {
    std::lock_guard const lock(m_mutex);
    Slot& slot = m_slots[(key >> 1) % m_slots.size()];
    if (slot.began_ns == 0 || now_ns - slot.began_ns >= window_ns || slot.key != key) {
        std::uint64_t const left_out = slot.key == key ? slot.left_out : 0;
        slot = {.key = key, .began_ns = now_ns, .admitted = 1, .left_out = 0};
        return left_out;
    }
    if (slot.admitted < reports_per_window) {
        ++slot.admitted;
        return 0;
    }
    ++slot.left_out;
    return std::nullopt;
}

} // namespace sinew::detail
