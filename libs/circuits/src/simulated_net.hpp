/// Which level a wire takes, from who drives or pulls it.
///
/// Threading: plain values.
#pragma once

#include <sinew/circuits/line.hpp>

#include <optional>

namespace sinew::circuits {

/// One line's end of a wire.
struct NetEnd {
    /// What its own output stage drives; nothing for an input, or an open-drain output that lets go.
    std::optional<bool> output;
    /// What the outside drives.
    std::optional<bool> outside;
    /// Where its resistor pulls.
    std::optional<bool> pull;
};

/// What `options` make of the physical level `latch` that an output is set to.
[[nodiscard]] inline std::optional<bool> output_stage(GpioOptions const& options, bool latch) {
    if (options.direction == Direction::input) {
        return std::nullopt;
    }
    bool const lets_go =
        (options.drive == Drive::open_drain && latch) || (options.drive == Drive::open_source && !latch);
    return lets_go ? std::nullopt : std::optional(latch);
}

[[nodiscard]] inline std::optional<bool> pull_of(Bias bias) {
    if (bias == Bias::pull_up) {
        return true;
    }
    return bias == Bias::pull_down ? std::optional(false) : std::nullopt;
}

/// The level at `own`, which may be wired to `other`. A floating line is low.
[[nodiscard]] inline bool level_of(NetEnd const& own, NetEnd const& other) {
    for (auto const& driver : {own.output, own.outside, other.output, other.outside, own.pull, other.pull}) {
        if (driver) {
            return *driver;
        }
    }
    return false;
}

} // namespace sinew::circuits
