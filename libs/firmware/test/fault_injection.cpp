/// See the header.
#include "fault_injection.hpp"

#include "power_cut_disk.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::firmware::test {

namespace {

char const* name_of(Fault fault) {
    switch (fault) {
    case Fault::power_loss:
        return "power loss";
    case Fault::io_error:
        return "I/O error";
    case Fault::disk_full:
        return "full disk";
    default:
        return "failed sync";
    }
}

} // namespace

Bytes after(Update const& update) {
    PowerCutDisk disk(update.before, PowerCutDisk::never);
    must(apply(update.archive, disk, update.options));
    return disk.after_power_loss(0);
}

void inject_everywhere(Update const& update, FaultPlan const& plan,
                       std::function<void(PowerCutDisk&)> const& check) {
    PowerCutDisk counter(update.before, PowerCutDisk::never);
    must(apply(update.archive, counter, update.options));
    for (auto const fault : plan.faults) {
        auto const count = fault == Fault::sync_error ? counter.sync_count() : counter.write_count();
        for (std::uint64_t at = 0; at < count; ++at) {
            PowerCutDisk disk(update.before, at, fault);
            ASSERT_FALSE(apply(update.archive, disk, update.options)) << name_of(fault) << " at " << at;
            auto const ways = fault == Fault::power_loss ? plan.ways_to_lose_power : 2;
            for (std::uint32_t seed = 0; seed < ways; ++seed) {
                SCOPED_TRACE(std::string(name_of(fault)) + " at " + std::to_string(at) + " of " +
                             std::to_string(count) + ", seed " + std::to_string(seed));
                PowerCutDisk left(disk.after_power_loss(seed, plan.sectors), PowerCutDisk::never);
                check(left);
                if (::testing::Test::HasFailure()) {
                    return;
                }
            }
        }
    }
}

std::vector<Bytes> remains_of(Update const& update, FaultPlan const& plan) {
    std::vector<Bytes> remains;
    auto only_power = plan;
    only_power.faults = {Fault::power_loss};
    inject_everywhere(update, only_power, [&](PowerCutDisk& left) {
        // As text: comparing bytes one by one takes long without optimisation.
        auto const is_same = [&](Bytes const& other) { return as_text(other) == as_text(left.content()); };
        if (std::ranges::none_of(remains, is_same)) {
            remains.push_back(left.content());
        }
    });
    return remains;
}

} // namespace sinew::firmware::test
