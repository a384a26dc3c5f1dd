#include "application/pulse.hpp"

#include "application/notify.hpp"

#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/request.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

namespace sinew::detail {
namespace {

constexpr int pulses_in_limit = 6;
constexpr std::int64_t longest_limit_us = 86'400'000'000; // A day.
// A top supervisor answers nobody while it waits for a child's init().
constexpr int supervisor_patience = 4;

} // namespace

std::optional<Duration> pulse_limit(std::string_view watchdog_usec) {
    auto const microseconds = parse_int64(watchdog_usec, 1, longest_limit_us);
    return microseconds ? std::optional<Duration>(std::chrono::microseconds(*microseconds)) : std::nullopt;
}

Pulse::Pulse(Options options)
    : m_options(options) {}

void Pulse::init() {
    m_last_answer = sinew::now();
    continue_with(Beat{});
}

void Pulse::handle_info(Beat /*beat*/) {
    send_after(m_options.limit / pulses_in_limit, Beat{});
    if (!std::exchange(m_is_asking, true)) {
        sinew::request(m_options.top, CountChildren{}, m_options.limit * supervisor_patience)
            .then([this](Result<ChildCounts> const& answer) {
                m_is_asking = false;
                m_last_answer = answer ? sinew::now() : m_last_answer;
            });
    }
    if (sinew::now() - m_last_answer < m_options.limit * supervisor_patience) {
        std::ignore = notify_service_manager("WATCHDOG=1"); // One that is lost is followed by another.
    }
}

} // namespace sinew::detail
