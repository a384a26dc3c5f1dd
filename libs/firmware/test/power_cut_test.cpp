/// Faults at the writes of an upgrade, a delta upgrade, a validation and a revert on the PC's layout in
/// small: some complete slot boots, always.
#include "boot_readers.hpp"
#include "fault_injection.hpp"
#include "power_cut_disk.hpp"
#include "support.hpp"
#include "two_slots.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/io.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::firmware::test {

namespace {

std::optional<Variables> environment_of(BlockDevice& disk) {
    return read_uboot_environment(bytes_at(disk, layout::environment_block, 16 * block_size_bytes),
                                  bytes_at(disk, layout::redundant_environment_block, 16 * block_size_bytes));
}

class PowerCut : public ::testing::Test {
protected:
    /// A disk of the size of the device, with version 1 in slot a.
    static Bytes new_device() {
        PowerCutDisk disk(Bytes(layout::disk_blocks * block_size_bytes), PowerCutDisk::never);
        must(apply(firmware_archive(1), disk, {.task = "complete"}));
        return disk.after_power_loss(0); // everything is synced
    }

    static Bytes applied(BytesView archive, Bytes const& before, std::string const& task) {
        PowerCutDisk disk(before, PowerCutDisk::never);
        must(apply(archive, disk, {.task = task}));
        return disk.after_power_loss(0);
    }

    static Bytes with_trial_started(Bytes const& before) {
        PowerCutDisk disk(before, PowerCutDisk::never);
        mark_tried(disk);
        must(disk.sync());
        return disk.after_power_loss(0);
    }

    /// Faults at the writes of `task`; torn sectors, too.
    static void inject_in(BytesView archive, Bytes const& before, std::string const& task,
                          std::function<void(BlockDevice&)> const& check) {
        ApplyOptions options;
        options.task = task;
        inject_everywhere({archive, before, options}, {}, [&](PowerCutDisk& left) {
            ASSERT_TRUE(environment_of(left));
            check(left);
        });
    }
};

Bytes slot_bytes(BlockDevice& disk, std::uint64_t boot, std::uint64_t rootfs) {
    auto bytes = bytes_at(disk, boot, layout::boot_blocks * block_size_bytes);
    auto const rest = bytes_at(disk, rootfs, layout::rootfs_blocks * block_size_bytes);
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    return bytes;
}

TEST_F(PowerCut, a_new_device_boots_what_was_written) {
    PowerCutDisk disk(new_device(), PowerCutDisk::never);
    auto const booted = boot(disk);
    EXPECT_EQ(booted.slot, 'a');
    EXPECT_EQ(booted.version, 1);
    EXPECT_FALSE(booted.trial);
}

TEST_F(PowerCut, during_an_upgrade_boots_the_old_slot_or_the_whole_new_one) {
    auto const before = new_device();
    auto const& update = firmware_archive(2);
    PowerCutDisk original(before, PowerCutDisk::never);
    auto const running = slot_bytes(original, layout::boot_a, layout::rootfs_a);
    int old_ones = 0;
    int new_ones = 0;
    inject_in(update, before, "upgrade", [&](BlockDevice& left) {
        auto const booted = boot(left);
        EXPECT_EQ(booted.version, booted.slot == 'a' ? 1 : 2);
        EXPECT_EQ(booted.trial, booted.slot == 'b');
        EXPECT_TRUE(as_text(slot_bytes(left, layout::boot_a, layout::rootfs_a)) == as_text(running))
            << "the running slot was touched";
        ++(booted.slot == 'a' ? old_ones : new_ones);
    });
    EXPECT_GT(old_ones, 0);
    EXPECT_GT(new_ones, 0) << "no cut left the new slot, so the commit point was never crossed";
}

TEST_F(PowerCut, during_a_delta_upgrade_boots_the_old_slot_or_the_whole_new_one) {
    auto const before = new_device();
    auto const update = delta_archive(1, 2);
    int new_ones = 0;
    inject_in(update, before, "upgrade", [&](BlockDevice& left) {
        auto const booted = boot(left);
        EXPECT_EQ(booted.version, booted.slot == 'a' ? 1 : 2);
        EXPECT_EQ(booted.trial, booted.slot == 'b');
        new_ones += booted.slot == 'b' ? 1 : 0;
    });
    EXPECT_GT(new_ones, 0);
}

TEST_F(PowerCut, during_an_upgrade_does_not_prevent_the_next_one) {
    auto const before = new_device();
    auto const& update = firmware_archive(2);
    FaultPlan plan;
    plan.ways_to_lose_power = 3;
    for (auto const& left : remains_of({update, before, {.task = "upgrade"}}, plan)) {
        PowerCutDisk again(left, PowerCutDisk::never);
        auto const applied_again = apply(update, again, {.task = "upgrade"});
        ASSERT_TRUE(applied_again) << message_of(applied_again);
        ASSERT_EQ(boot(again).version, 2);
    }
}

TEST_F(PowerCut, while_a_trial_is_validated_keeps_it_or_goes_back) {
    auto const upgraded = applied(firmware_archive(2), new_device(), "upgrade");
    auto const on_trial = with_trial_started(upgraded);
    inject_in(operations_archive(), on_trial, "validate", [](BlockDevice& left) {
        auto const booted = boot(left);
        EXPECT_EQ(booted.version, booted.slot == 'a' ? 1 : 2);
        EXPECT_FALSE(booted.trial);
    });
    PowerCutDisk validated(applied(operations_archive(), on_trial, "validate"), PowerCutDisk::never);
    auto const booted = boot(validated);
    EXPECT_EQ(booted.slot, 'b');
    EXPECT_EQ(booted.version, 2);
    EXPECT_FALSE(booted.rolled_back);
}

TEST_F(PowerCut, during_a_revert_boots_one_slot_or_the_other) {
    auto const upgraded = applied(firmware_archive(2), new_device(), "upgrade");
    auto const validated = applied(operations_archive(), with_trial_started(upgraded), "validate");
    inject_in(operations_archive(), validated, "revert", [](BlockDevice& left) {
        auto const booted = boot(left);
        EXPECT_EQ(booted.version, booted.slot == 'a' ? 1 : 2);
    });
    PowerCutDisk reverted(applied(operations_archive(), validated, "revert"), PowerCutDisk::never);
    EXPECT_EQ(boot(reverted).version, 1);
}

TEST_F(PowerCut, a_trial_that_was_never_validated_falls_back) {
    auto const upgraded = applied(firmware_archive(2), new_device(), "upgrade");
    PowerCutDisk disk(upgraded, PowerCutDisk::never);
    EXPECT_TRUE(boot(disk).trial);
    mark_tried(disk);
    auto const booted = boot(disk);
    EXPECT_EQ(booted.version, 1);
    EXPECT_TRUE(booted.rolled_back);
}

TEST_F(PowerCut, the_commit_point_is_the_last_write_and_alone) {
    PowerCutDisk disk(new_device(), PowerCutDisk::never);
    must(apply(firmware_archive(2), disk, {.task = "upgrade"}));
    auto batches = disk.batches();
    ASSERT_TRUE(batches.back().empty()) << "the last thing was a sync";
    batches.pop_back();
    auto const only = [](std::uint64_t block) {
        return std::vector<std::pair<std::uint64_t, std::uint64_t>>{{block, block}};
    };
    EXPECT_EQ(batches.front(), only(layout::tried_block)) << "the slot is forbidden before anything else";
    EXPECT_EQ(batches[batches.size() - 1], only(layout::tried_block));
    EXPECT_EQ(batches[batches.size() - 2], only(layout::state_block));
    EXPECT_EQ(batches[batches.size() - 3], only(layout::state_copy_block));
    // The environment before them: one copy, 16 blocks; the other copy stays as it was.
    auto const environment = batches[batches.size() - 4];
    ASSERT_EQ(environment.size(), 1u);
    EXPECT_EQ(environment[0].second - environment[0].first, 15u);
}

TEST_F(PowerCut, during_a_second_update_never_boots_the_half_written_slot) {
    // The first update was committed, but the device was not restarted; the second one writes the same slot
    // again.
    auto const committed = applied(firmware_archive(2), new_device(), "upgrade");
    inject_in(firmware_archive(3), committed, "upgrade", [](BlockDevice& left) {
        auto const booted = boot(left);
        EXPECT_EQ(booted.slot == 'a', booted.version == 1);
        EXPECT_NE(booted.version, 0);
    });
}

} // namespace

} // namespace sinew::firmware::test
