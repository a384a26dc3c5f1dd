/// The block that bootloader and running system share: how many starts in a row have come to nothing, and what
/// each slot is worth.
///
/// The bootloader counts before it starts a kernel; sinewd takes the count back once the platform is up
/// (`starts`), and once the machine has stayed up with its application (`runs`). So whatever ends a start early
/// is counted: a kernel that can't mount its root, a hang that the watchdog ends, an application that takes the
/// machine down. It is one sector, in the form of a GRUB environment block; an update's last step is to write it.
/// Threading: values and pure functions.
#pragma once

#include <sinew/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::device {

inline constexpr std::size_t grub_block_bytes = 512;

/// Exactly one block. `variables` must fit.
[[nodiscard]] std::string
format_grub_block(std::vector<std::pair<std::string_view, std::string>> const& variables);

/// Nothing when it isn't one; lines without '=' are passed over, as GRUB does.
[[nodiscard]] std::optional<std::map<std::string, std::string>> parse_grub_block(BytesView block);

/// After this many starts of a slot without a platform the other slot is started; so often again, and it is the
/// first one's turn.
inline constexpr int starts_of_a_slot = 3;
/// `starts` counts round to this.
inline constexpr int most_starts = 2 * starts_of_a_slot;
/// After so many starts that the machine didn't survive for long, the platform starts without the application.
/// `runs` stops here.
inline constexpr int most_runs = 6;

/// `unproven`: written as a whole, never validated. It is only ever started on trial.
enum class SlotWorth : std::uint8_t { none, unproven, good };

struct BootCounters {
    /// False: the update's slot waits to be tried.
    bool tried = true;
    int starts = 0;
    int runs = 0;
    SlotWorth slot_a = SlotWorth::none;
    SlotWorth slot_b = SlotWorth::none;
    /// The slot validated last, "a" or "b": what starts if both boot state blocks are damaged.
    std::string active = {};
    friend bool operator==(BootCounters const&, BootCounters const&) = default;
};

[[nodiscard]] std::string format_boot_counters(BootCounters const& counters);

/// Nothing when the block isn't readable: an update has begun to write the other slot, or it is damaged.
[[nodiscard]] std::optional<BootCounters> parse_boot_counters(BytesView block);

/// The start is one that leaves alone whatever may have ended those before it: /data and the crash store.
[[nodiscard]] constexpr bool is_careful_start(int starts) noexcept {
    return starts > 0 && starts % starts_of_a_slot == 0;
}

} // namespace sinew::device
