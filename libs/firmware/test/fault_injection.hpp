/// Tries faults at the writes of an update: with SINEW_TEST_ALL=1 every fault at every write, in every way
/// that it may go; without, a sample, which always has the first write and the last ones in it.
///
/// Invariant: a fault that the update doesn't notice is a failure of the test. What was left out is said when
/// the program ends. Threading: one thread.
#pragma once

#include "power_cut_disk.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <functional>
#include <vector>

namespace sinew::firmware::test {

/// An update, and the disk it is applied to. Borrows both.
struct Update {
    BytesView archive;
    Bytes const& before;
    ApplyOptions options;
};

struct FaultPlan {
    /// Whether the medium may tear a sector when power goes.
    Sectors sectors = Sectors::torn;
    std::vector<Fault> faults{Fault::power_loss, Fault::io_error, Fault::disk_full, Fault::sync_error};
    /// In how many ways what wasn't synced is lost: not at all, as a whole, then at random.
    std::uint32_t ways_to_lose_power = 6;
};

/// Whether SINEW_TEST_ALL=1 asks for everything.
[[nodiscard]] bool everything_is_tried();

/// The disk after the update, with everything that was synced.
[[nodiscard]] Bytes after(Update const& update);

/// Applies the update with faults at its writes (or syncs), and lets `check` judge what is left, until it
/// fails. After an error that isn't a power cut, power may go as well, before or after all was written back.
void inject_everywhere(Update const& update, FaultPlan const& plan,
                       std::function<void(PowerCutDisk&)> const& check);

/// What power cuts may leave, without doubles: for faults in the update after the cut one.
[[nodiscard]] std::vector<Bytes> remains_of(Update const& update, FaultPlan const& plan);

} // namespace sinew::firmware::test
