/// Layouts whose partition table says which slot starts, MBR and GPT: faults at the writes of an upgrade, a
/// delta upgrade, a validation and a revert, and in the update that follows a cut one.
///
/// A switch by MBR is one sector, which must be written as a whole or not at all; a GPT survives torn ones.
#include "boot_readers.hpp"
#include "fault_injection.hpp"
#include "power_cut_disk.hpp"
#include "support.hpp"
#include "switched_tables.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/running_system.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sinew::firmware::test {

namespace {

class SwitchedTables : public ::testing::TestWithParam<SwitchedBy> {
protected:
    [[nodiscard]] static FaultPlan plan() {
        FaultPlan plan;
        bool const is_mbr = GetParam() == SwitchedBy::mbr || GetParam() == SwitchedBy::mbr_at_first;
        plan.sectors = is_mbr ? Sectors::whole : Sectors::torn;
        return plan;
    }
    /// A task on a device that runs `slot`.
    ApplyOptions options(std::string const& task, char slot) {
        MountSource source;
        source.start_block = slot == 'a' ? switched::rootfs_a : switched::rootfs_b;
        auto& system = slot == 'a' ? m_in_a : m_in_b;
        system.mounts["/"] = source;
        ApplyOptions options;
        options.task = task;
        options.running_system = &system;
        return options;
    }
    Bytes applied(BytesView update, Bytes const& before, std::string const& task, char slot) {
        return after({update, before, options(task, slot)});
    }
    static StartedSlot started(Bytes const& disk) {
        return started_slot(PowerCutDisk(disk, PowerCutDisk::never), GetParam());
    }
    /// Whatever happens to `update`, what starts is `old_state` or `new_state`; and both happen.
    static void expect_either(Update const& update, StartedSlot old_state, StartedSlot new_state) {
        bool was_new = false;
        bool was_old = false;
        inject_everywhere(update, plan(), [&](PowerCutDisk& left) {
            auto const state = started_slot(left, GetParam());
            ASSERT_TRUE(state == old_state || state == new_state)
                << "slot " << state.slot << ", version " << state.version << ", validated "
                << state.is_validated;
            was_new = was_new || state == new_state;
            was_old = was_old || state == old_state;
        });
        EXPECT_TRUE(was_old);
        EXPECT_TRUE(was_new) << "the commit point was never crossed";
        EXPECT_EQ(started(after(update)), new_state);
    }

    FakeSystem m_in_a;
    FakeSystem m_in_b;
    Bytes const& m_second = switched_archive(GetParam(), 2);
    Bytes m_device = applied(switched_archive(GetParam(), 1), Bytes(switched::disk_blocks* block_size_bytes),
                             "complete", 'a');
    StartedSlot const m_old{'a', true, 1};
    StartedSlot const m_trial{'b', false, 2};
    StartedSlot const m_new{'b', true, 2};
};

TEST_P(SwitchedTables, a_new_device_starts_what_was_written) {
    EXPECT_EQ(started(m_device), m_old);
}

TEST_P(SwitchedTables, an_upgrade_leaves_the_old_slot_or_the_whole_new_one) {
    expect_either({m_second, m_device, options("upgrade", 'a')}, m_old, m_trial);
}

TEST_P(SwitchedTables, a_delta_upgrade_leaves_the_old_slot_or_the_whole_new_one) {
    auto const delta = switched_delta(GetParam(), 1, 2);
    expect_either({delta, m_device, options("upgrade", 'a')}, m_old, m_trial);
}

TEST_P(SwitchedTables, a_validation_and_a_revert_leave_the_state_before_or_after) {
    auto const on_trial = applied(m_second, m_device, "upgrade", 'a');
    expect_either({m_second, on_trial, options("validate", 'b')}, m_trial, m_new);
    auto const validated = applied(m_second, on_trial, "validate", 'b');
    expect_either({m_second, validated, options("revert", 'b')}, m_new, m_old);
}

TEST_P(SwitchedTables, what_a_cut_upgrade_leaves_survives_another_cut) {
    auto second = plan();
    second.faults = {Fault::power_loss};
    second.ways_to_lose_power = 4;
    auto first = plan();
    first.ways_to_lose_power = 4;
    for (auto const& left : remains_of({m_second, m_device, options("upgrade", 'a')}, first)) {
        auto const before = started(left);
        auto const validated = before == m_old ? m_old : m_new;
        inject_everywhere({m_second, left, options("validate", before.slot)}, second,
                          [&](PowerCutDisk& disk) {
                              auto const state = started_slot(disk, GetParam());
                              ASSERT_TRUE(state == before || state == validated)
                                  << "slot " << state.slot << ", version " << state.version;
                          });
        if (HasFailure()) {
            return;
        }
    }
}

TEST_P(SwitchedTables, after_a_cut_upgrade_the_next_one_works) {
    for (auto const& left : remains_of({m_second, m_device, options("upgrade", 'a')}, plan())) {
        if (started(left) == m_old) {
            ASSERT_EQ(started(applied(m_second, left, "upgrade", 'a')), m_trial);
        }
    }
}

/// Of each update: what the first power cut leaves and the last one, and some between.
TEST_P(SwitchedTables, grub_in_qemu_starts_a_whole_slot_after_a_sample_of_power_cuts) {
    if (!everything_is_tried() && GetParam() != SwitchedBy::gpt) {
        GTEST_SKIP() << "GRUB boots from one of the layouts only; with SINEW_TEST_ALL=1 from all";
    }
    auto const delta = switched_delta(GetParam(), 1, 2);
    auto const on_trial = applied(m_second, m_device, "upgrade", 'a');
    auto const validated = applied(m_second, on_trial, "validate", 'b');
    FaultPlan whole_sectors;
    whole_sectors.sectors = Sectors::whole; // GRUB doesn't look at the checksums of a GPT
    std::vector<Bytes> disks;
    for (auto const& update : {Update{m_second, m_device, options("upgrade", 'a')},
                               Update{delta, m_device, options("upgrade", 'a')},
                               Update{m_second, on_trial, options("validate", 'b')},
                               Update{m_second, validated, options("revert", 'b')}}) {
        auto remains = remains_of(update, whole_sectors);
        for (std::size_t const i : {std::size_t{0}, remains.size() / 2, remains.size() - 1}) {
            disks.push_back(remains.at(i));
        }
        disks.push_back(after(update));
    }
    auto const started = slots_started_by_grub(disks, GetParam());
    ASSERT_EQ(started.size(), disks.size());
    for (std::size_t i = 0; i < disks.size(); ++i) {
        ASSERT_NE(started[i].version, 0) << "disk " << i;
        ASSERT_EQ(started[i].version, started[i].slot == 'a' ? 1 : 2) << "disk " << i;
    }
    EXPECT_EQ(started.back().slot, 'a') << "the revert";
    EXPECT_EQ(started.at(3).slot, 'b') << "the upgrade";
}

std::string layout_name(::testing::TestParamInfo<SwitchedBy> const& layout) {
    switch (layout.param) {
    case SwitchedBy::mbr:
        return "mbr";
    case SwitchedBy::mbr_at_first:
        return "mbr_at_first";
    case SwitchedBy::gpt:
        return "gpt";
    case SwitchedBy::gpt_at_first:
        return "gpt_at_first";
    default:
        return "environment_on_gpt";
    }
}

INSTANTIATE_TEST_SUITE_P(Layouts, SwitchedTables,
                         ::testing::Values(SwitchedBy::mbr, SwitchedBy::mbr_at_first, SwitchedBy::gpt,
                                           SwitchedBy::gpt_at_first, SwitchedBy::environment_on_gpt),
                         layout_name);

TEST(BootReaders, the_reader_of_fat_reads_what_mtools_reads) {
    Workshop const workshop;
    MemoryDevice disk;
    auto const content = noise(70'000, 4);
    workshop.write("initramfs", content);
    for (std::uint64_t const blocks : {400u, 6000u}) { // FAT12, FAT16
        must(apply(workshop.archive("file-resource initramfs { host-path = initramfs }\n"
                                    "task t { on-init { fat_mkfs(0, " +
                                    std::to_string(blocks) +
                                    ") } on-resource initramfs { fat_write(0, initramfs) } }\n"),
                   disk, {.task = "t"}));
        workshop.write("disk.img", disk.bytes());
        tool({"mcopy", "-n", "-i", workshop.text_path("disk.img"), "::initramfs",
              workshop.text_path("copy-" + std::to_string(blocks))});
        EXPECT_EQ(workshop.read("copy-" + std::to_string(blocks)), content);
        EXPECT_EQ(read_fat_file(disk.bytes(), "initramfs"), content);
    }
}

} // namespace

} // namespace sinew::firmware::test
