/// What the runtime itself reports: crashes, and messages nobody handles; and the limit on how often.
///
/// Threading: the limiter locks; the rest runs on the process's own thread.
#pragma once

#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/pid.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace sinew {
struct ChildSpec;
}

namespace sinew::log {

/// The event, with what is known of the running process.
[[nodiscard]] Event make_event(Level level, std::string_view text, Fields fields, std::source_location where);

} // namespace sinew::log

namespace sinew::detail {

struct Process;

/// Lets the same report through five times in ten seconds. Its memory is fixed: two reports that share a
/// place share a limit.
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

/// A supervisor's child ended, and that needs a report: the same child five times in ten seconds.
void report_child_end(ChildSpec const& child, Pid pid, ExitReason const& reason, bool is_restarted);

/// The name it is registered under, or nothing.
[[nodiscard]] std::string name_of(Process const& process);
/// Its parent first, as far as they are known.
[[nodiscard]] std::vector<Pid> ancestors_of(Process const& process);
/// Its state as JSON, at most 4 KiB of it; empty when its class shows none.
[[nodiscard]] std::string state_text(Process const& process);

} // namespace sinew::detail
