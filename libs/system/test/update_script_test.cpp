/// The generated update scripts, applied by the real engine to a disk in memory.
#include "support.hpp"
#include "update_scripts.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/data_mark.hpp>
#include <sinew/firmware.hpp>
#include <sinew/system/boot_script.hpp>
#include <sinew/system/update_script.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sinew::system {
namespace {

using ::testing::HasSubstr;

using UpdateScript = UpdateScriptTest;

TEST_F(UpdateScript, complete_makes_a_disk_that_starts_slot_a) {
    auto const disk = installed();
    auto const decision = decide(disk);
    EXPECT_EQ(decision.slot, "a");
    EXPECT_FALSE(decision.trial);
    EXPECT_EQ(environment(disk, "nerves_fw_active"), "a");
    EXPECT_EQ(environment(disk, "a.nerves_fw_version"), "1.0");
    EXPECT_EQ(environment(disk, "a.nerves_fw_platform"), "x86_64");
    EXPECT_EQ(environment(disk, "a.nerves_fw_product"), "say \"$x\\\"");
    EXPECT_EQ(environment(disk, "a.nerves_fw_validated"), "1");
}

TEST_F(UpdateScript, the_partition_table_is_the_layout) {
    RecordingDevice disk(installed());
    auto const table = firmware::read_partition_table(disk);
    ASSERT_TRUE(table) << table.error().message();
    EXPECT_EQ(table->signature, 0x51e3b0a7u);
    for (auto const& placed : m_layout.partitions) {
        auto const* const found = table->find(placed.number - 1);
        ASSERT_NE(found, nullptr) << placed.name;
        EXPECT_EQ(found->block_offset, placed.block_offset);
        EXPECT_EQ(found->block_count >= placed.block_count, true);
        EXPECT_EQ(found->type, placed.type);
    }
    auto const* const tried = table->find(tried_partition_number - 1);
    ASSERT_NE(tried, nullptr);
    EXPECT_EQ(tried->block_offset + 1, m_description.bootloader.tried_block);
}

TEST_F(UpdateScript, an_upgrade_cut_at_any_write_leaves_a_device_that_starts_a_whole_slot) {
    auto const after = upgrade_cut_everywhere(installed(), pack("2.0", 'B'), Slot::a);
    EXPECT_EQ(environment(after, "b.nerves_fw_version"), "2.0");
    EXPECT_EQ(environment(after, "b.nerves_fw_validated"), "0");
    EXPECT_EQ(environment(after, "nerves_fw_active"), "a");
}

TEST_F(UpdateScript, an_upgrade_after_one_that_was_rolled_back_can_be_cut_too) {
    auto disk = upgrade_cut_everywhere(installed(), pack("2.0", 'B'), Slot::a);
    start_trial(disk);
    EXPECT_EQ(decide(disk).slot, "a"); // rolled back
    upgrade_cut_everywhere(disk, pack("3.0", 'C'), Slot::a);
}

TEST_F(UpdateScript, an_upgrade_over_one_that_was_never_started_can_be_cut_too) {
    auto const pending = upgrade_cut_everywhere(installed(), pack("2.0", 'B'), Slot::a);
    RecordingDevice disk(pending);
    ASSERT_TRUE(apply(pack("3.0", 'C'), disk, "upgrade", Slot::a));
    Bytes cut = pending;
    for (std::size_t i = 0; i < disk.writes.size(); ++i) {
        RecordingDevice::apply(disk.writes[i], cut);
        if (decide(cut).slot == "b") {
            EXPECT_TRUE(same_slot(cut, pending, Slot::b) || same_slot(cut, disk.content(), Slot::b))
                << "started half written after write " << i;
        }
    }
}

TEST_F(UpdateScript, a_validated_slot_stays_and_the_next_upgrade_goes_to_the_other) {
    auto trial = upgrade_cut_everywhere(installed(), pack("2.0", 'B'), Slot::a);
    start_trial(trial);
    RecordingDevice disk(trial);
    auto const validated = apply(pack_operations(), disk, "validate", Slot::b);
    ASSERT_TRUE(validated) << validated.error().message();
    EXPECT_EQ(decide(disk.content()).slot, "b");
    EXPECT_FALSE(decide(disk.content()).trial);
    EXPECT_EQ(environment(disk.content(), "nerves_fw_active"), "b");
    EXPECT_EQ(environment(disk.content(), "b.nerves_fw_validated"), "1");
    // Cut at any write, it is the old decision or the new one.
    Bytes cut = trial;
    for (auto const& write : disk.writes) {
        RecordingDevice::apply(write, cut);
        EXPECT_FALSE(decide(cut).trial);
    }
    auto const next = upgrade_cut_everywhere(disk.content(), pack("3.0", 'C'), Slot::b);
    EXPECT_EQ(environment(next, "a.nerves_fw_version"), "3.0");
}

TEST_F(UpdateScript, an_upgrade_is_refused_while_the_running_slot_is_on_trial) {
    auto disk_bytes = upgrade_cut_everywhere(installed(), pack("2.0", 'B'), Slot::a);
    start_trial(disk_bytes);
    RecordingDevice disk(disk_bytes);
    auto const result = apply(pack("3.0", 'C'), disk, "upgrade", Slot::b);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("on trial"));
    EXPECT_TRUE(same_slot(disk.content(), disk_bytes, Slot::a));
    EXPECT_TRUE(same_slot(disk.content(), disk_bytes, Slot::b));
}

TEST_F(UpdateScript, a_disk_that_is_none_of_ours_is_refused) {
    RecordingDevice disk(Bytes(4u << 20));
    auto const result = apply(pack("2.0", 'B'), disk, "upgrade", std::nullopt);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("x86_64"));
    EXPECT_TRUE(disk.writes.empty());
}

TEST_F(UpdateScript, revert_goes_back_to_a_validated_slot_only) {
    auto trial = upgrade_cut_everywhere(installed(), pack("2.0", 'B'), Slot::a);
    RecordingDevice first(trial);
    EXPECT_FALSE(apply(pack_operations(), first, "revert", Slot::a)); // b was never validated
    start_trial(trial);
    RecordingDevice disk(trial);
    ASSERT_TRUE(apply(pack_operations(), disk, "validate", Slot::b));
    ASSERT_TRUE(apply(pack_operations(), disk, "revert", Slot::b));
    EXPECT_EQ(decide(disk.content()).slot, "a");
}

TEST_F(UpdateScript, factory_reset_marks_the_data_partition_and_touches_nothing_else) {
    auto const before = installed();
    RecordingDevice disk(before);
    ASSERT_TRUE(apply(pack_operations(), disk, "factory-reset", Slot::a));
    auto const data = area(disk.content(), m_layout.at("data"));
    EXPECT_EQ(as_text(data.first(device::data_mark_bytes)), device::data_mark());
    EXPECT_EQ(data[1024 + 56], std::byte{0xff}) << "no superblock is left";
    EXPECT_TRUE(same_slot(disk.content(), before, Slot::a));
    EXPECT_EQ(decide(disk.content()).slot, "a");
}

TEST_F(UpdateScript, a_damaged_partition_table_is_restored_byte_by_byte) {
    auto const before = installed();
    auto const extended = m_layout.extended_block_offset * block_size_bytes;
    for (auto const at : {std::uint64_t{446}, extended + 446}) {
        auto damaged = before;
        RecordingDevice::apply({at, Bytes(64)}, damaged);
        RecordingDevice disk(damaged);
        ASSERT_TRUE(apply(pack_operations(), disk, "restore-table", Slot::a));
        EXPECT_TRUE(disk.content() == before) << at;
    }
}

TEST_F(UpdateScript, a_new_disk_is_marked_so_that_its_first_start_makes_a_file_system) {
    auto const disk = installed();
    EXPECT_EQ(as_text(area(disk, m_layout.at("data")).first(device::data_mark_bytes)), device::data_mark());
}

TEST_F(UpdateScript, installing_anew_can_keep_the_data) {
    auto disk_bytes = installed();
    auto const data_at = m_layout.at("data").block_offset * block_size_bytes;
    RecordingDevice::apply({data_at, to_bytes("precious")}, disk_bytes);
    RecordingDevice disk(disk_bytes);
    ASSERT_TRUE(apply(pack("2.0", 'B'), disk, "complete-keep-data", std::nullopt));
    EXPECT_EQ(as_text(area(disk.content(), m_layout.at("data"))).substr(0, 8), "precious");
    EXPECT_EQ(environment(disk.content(), "a.nerves_fw_version"), "2.0");
}

TEST_F(UpdateScript, a_root_file_system_larger_than_its_slot_is_refused_when_packing) {
    auto const rootfs = m_folder.path() / "large";
    ASSERT_TRUE(write_file_atomically(rootfs, Bytes(3u << 20)));
    ASSERT_TRUE(write_file_atomically(m_folder.path() / "x", as_bytes("x")));
    auto const x = m_folder.path() / "x";
    firmware::CreateOptions options;
    options.script = "fwup.conf";
    options.script_text = update_script(m_description, m_layout, {.product = "p", .version = "1"},
                                        {.core_image = x,
                                         .kernel = x,
                                         .initramfs = x,
                                         .slot_script = x,
                                         .rootfs = rootfs,
                                         .tried_archive = x,
                                         .boot_code_hex = std::string(880, '0')});
    options.output = m_folder.path() / "large.fw";
    auto const report = firmware::create_archive(options);
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().message(), HasSubstr("rootfs.img"));
}

} // namespace
} // namespace sinew::system
