/// Debounce by time stamps: which of a line's changes lasted.
///
/// For lines whose chip the kernel reads over USB, I2C or SPI: there the kernel has no interrupt handler of
/// its own to debounce in, and refuses. Semantics are the kernel's: a level counts once it was stable for the
/// period. Threading: for one thread.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace sinew::circuits {

class Debouncer {
public:
    /// `value` is what the line has now.
    Debouncer(std::chrono::microseconds period, Edges edges, bool value) noexcept
        : m_period(period)
        , m_edges(edges)
        , m_value(value) {}

    /// A change of the line, in the order of time.
    void add(EdgeEvent const& raw);
    /// When an edge will be there, unless the line changes before.
    [[nodiscard]] std::optional<MonotonicTime> due() const noexcept;
    /// The edges that lasted, up to `now`. Their time is the end of the period.
    [[nodiscard]] std::vector<EdgeEvent> take(MonotonicTime now);
    /// The value after debounce, as of the last take().
    [[nodiscard]] bool value() const noexcept { return m_value; }

private:
    void settle(MonotonicTime now);

    std::chrono::microseconds m_period;
    Edges m_edges;
    bool m_value;
    /// Since when the line has the other value.
    std::optional<MonotonicTime> m_changed_at;
    std::uint32_t m_sequence = 0;
    std::vector<EdgeEvent> m_settled;
};

} // namespace sinew::circuits
