/// The generated update scripts, applied by the real engine to a disk in memory, and cut off at every single
/// write.
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware.hpp>
#include <sinew/system/boot_script.hpp>
#include <sinew/system/update_script.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::system {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A disk that remembers every write, so that a test can stop at any of them.
class RecordingDevice final : public firmware::BlockDevice {
public:
    struct Write {
        std::uint64_t offset = 0;
        Bytes bytes;
    };
    std::vector<Write> writes;

    explicit RecordingDevice(Bytes content)
        : m_content(std::move(content)) {}
    Result<> read_at(std::uint64_t offset, MutableBytesView into) override {
        std::ranges::fill(into, std::byte{0});
        if (offset < m_content.size()) {
            auto const available = BytesView(m_content).subspan(offset);
            std::ranges::copy(available.first(std::min(available.size(), into.size())), into.begin());
        }
        return {};
    }
    Result<> write_at(std::uint64_t offset, BytesView bytes) override {
        apply({offset, Bytes(bytes.begin(), bytes.end())}, m_content);
        writes.push_back({offset, Bytes(bytes.begin(), bytes.end())});
        return {};
    }
    Result<> sync() override { return {}; }
    Result<> discard(std::uint64_t, std::uint64_t) override { return {}; }
    std::uint64_t size_bytes() const override { return m_content.size(); }
    firmware::Growth growth() const override { return firmware::Growth::grows; }
    std::string name() const override { return "recording"; }
    Bytes const& content() const { return m_content; }

    static void apply(Write const& write, Bytes& content) {
        content.resize(std::max<std::size_t>(content.size(), write.offset + write.bytes.size()));
        std::ranges::copy(write.bytes, content.begin() + static_cast<std::ptrdiff_t>(write.offset));
    }

private:
    Bytes m_content;
};

/// A machine whose "/" is the partition that starts at a block.
class MountedAt final : public firmware::RunningSystem {
public:
    explicit MountedAt(std::optional<std::uint64_t> block)
        : m_block(block) {}
    Result<firmware::MountSource> mount_source(fs::path const&) const override {
        if (!m_block) {
            return failure(ErrorCode::not_found, "not a block device");
        }
        return firmware::MountSource{
            .partition_number = 5, .disk_number = 1, .start_block = *m_block, .block_count = 4096};
    }
    bool is_path_on_device(fs::path const&, fs::path const&) const override { return false; }

private:
    std::optional<std::uint64_t> m_block;
};

/// What GRUB's script decides, said in C++. That GRUB decides the same is shown in
/// test/system/test_boot_state.py.
struct Decision {
    std::string slot;
    bool trial = false;
};

std::string variable(std::string_view block, std::string_view name) {
    constexpr std::string_view head = "# GRUB Environment Block\n";
    if (!block.starts_with(head)) {
        return "";
    }
    auto const key = "\n" + std::string(name) + "=";
    auto const at = block.find(key);
    return at == std::string_view::npos
               ? ""
               : std::string(block.substr(at + key.size(), block.find('\n', at + 1) - at - key.size()));
}

class UpdateScript : public ::testing::Test {
protected:
    TemporaryDirectory m_folder = *TemporaryDirectory::create();
    Description m_description = small_description();
    Layout m_layout = layout_of(m_description);

    /// The real target with small partitions, so that a test is quick.
    static Description small_description() {
        auto description = description_of(x86_64_text());
        for (auto& partition : description.disk.partitions) {
            partition.size_mib = 2;
        }
        return description;
    }

    /// Packs a firmware whose files are filled with `fill`.
    fs::path pack(std::string const& version, char fill) {
        auto const file = [&](std::string const& name, std::size_t size) {
            auto const path = m_folder.path() / (version + "-" + name);
            EXPECT_TRUE(write_file_atomically(path, as_bytes(std::string(size, fill))));
            return path;
        };
        FirmwareFiles files{.core_image = file("core.img", 9000),
                            .kernel = file("vmlinuz", 700'000),
                            .initramfs = file("initramfs", 300'000),
                            .slot_script = file("grub.cfg", 300),
                            .rootfs = file("rootfs", 1'000'000),
                            .tried_archive = m_folder.path() / "tried.tar",
                            .boot_code_hex = std::string(880, '0')};
        EXPECT_TRUE(write_file_atomically(files.tried_archive, tried_archive(Tried::yes)));
        auto const text =
            update_script(m_description, m_layout, {.product = "say \"$x\\\"", .version = version}, files);
        return create("fw-" + version, text);
    }
    fs::path pack_operations() {
        return create("ops", operations_script(m_description, m_layout, {.product = "ops", .version = "1"}));
    }
    fs::path create(std::string const& name, std::string const& text) {
        firmware::CreateOptions options;
        options.script = m_folder.path() / (name + ".conf");
        options.script_text = text;
        options.output = m_folder.path() / (name + ".fw");
        options.compression_level = 1;
        auto const report = firmware::create_archive(options);
        EXPECT_TRUE(report) << report.error().message() << "\n" << text;
        return options.output;
    }

    Result<firmware::ApplyReport> apply(fs::path const& archive, firmware::BlockDevice& disk,
                                        std::string const& task, std::optional<Slot> running) {
        TRY(auto input, firmware::FileInput::open(archive));
        MountedAt const system(running ? std::optional(m_layout.rootfs(*running).block_offset)
                                       : std::nullopt);
        firmware::ApplyOptions options;
        options.task = task;
        options.running_system = &system;
        return firmware::apply_archive(*input, disk, options);
    }

    std::string_view block(Bytes const& disk, std::uint64_t number) const {
        return as_text(BytesView(disk).subspan(number * block_size_bytes, block_size_bytes));
    }
    Decision decide(Bytes const& disk) const {
        auto const& boot = m_description.bootloader;
        auto state = block(disk, boot.state_block);
        if (variable(state, "whole") != "yes") {
            state = block(disk, boot.state_copy_block);
        }
        auto const trial = variable(state, "try");
        if (!trial.empty() && variable(block(disk, boot.tried_block), "tried") == "0") {
            return {.slot = trial, .trial = true};
        }
        return {.slot = variable(state, "slot"), .trial = false};
    }
    /// GRUB starts the trial.
    void start_trial(Bytes& disk) const {
        RecordingDevice::apply(
            {m_description.bootloader.tried_block * block_size_bytes, to_bytes(tried_block(Tried::yes))},
            disk);
    }
    static BytesView area(Bytes const& disk, PlacedPartition const& partition) {
        return BytesView(disk).subspan(partition.block_offset * block_size_bytes,
                                       partition.block_count * block_size_bytes);
    }
    /// By memcmp(3): these are compared at every write, and std::equal() is slow without optimisation.
    static bool same_area(Bytes const& a, Bytes const& b, PlacedPartition const& partition) {
        auto const one = area(a, partition);
        return std::memcmp(one.data(), area(b, partition).data(), one.size()) == 0;
    }
    bool same_slot(Bytes const& a, Bytes const& b, Slot which) const {
        return same_area(a, b, m_layout.boot(which)) && same_area(a, b, m_layout.rootfs(which));
    }
    std::string environment(Bytes const& disk, std::string_view key) const {
        RecordingDevice device(disk);
        auto const loaded = firmware::UbootEnvironment::load(
            device, {.block_offset = m_description.environment.block,
                     .block_count = m_description.environment.block_count,
                     .redundant_block_offset = m_description.environment.redundant_block});
        return loaded ? loaded->get(key).value_or("unset") : loaded.error().message();
    }
    /// A disk as `complete` makes it.
    Bytes installed() {
        RecordingDevice disk(Bytes(m_layout.total_blocks * block_size_bytes));
        auto const done = apply(pack("1.0", 'A'), disk, "complete", std::nullopt);
        EXPECT_TRUE(done) << done.error().message();
        return disk.content();
    }
    /// Applies an upgrade to `before` and checks the promise at every write.
    Bytes upgrade_cut_everywhere(Bytes const& before, fs::path const& archive, Slot running) {
        RecordingDevice disk(before);
        auto const done = apply(archive, disk, "upgrade", running);
        EXPECT_TRUE(done) << done.error().message();
        auto const target = other(running);
        Bytes cut = before;
        for (std::size_t i = 0; i < disk.writes.size(); ++i) {
            RecordingDevice::apply(disk.writes[i], cut);
            EXPECT_TRUE(same_slot(cut, before, running)) << "the running slot was touched by write " << i;
            auto const decision = decide(cut);
            if (decision.slot == to_string(target)) {
                EXPECT_TRUE(decision.trial) << "started without a trial after write " << i;
                EXPECT_TRUE(same_slot(cut, disk.content(), target))
                    << "started half written after write " << i << " of " << disk.writes.size();
            } else {
                EXPECT_EQ(decision.slot, to_string(running)) << "after write " << i;
            }
        }
        EXPECT_EQ(decide(disk.content()).slot, to_string(target));
        return disk.content();
    }
};

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

TEST_F(UpdateScript, factory_reset_blanks_the_start_of_the_data_partition_and_nothing_else) {
    auto const before = installed();
    RecordingDevice disk(before);
    ASSERT_TRUE(apply(pack_operations(), disk, "factory-reset", Slot::a));
    auto const data = area(disk.content(), m_layout.at("data"));
    EXPECT_EQ(data.front(), std::byte{0xff});
    EXPECT_TRUE(same_slot(disk.content(), before, Slot::a));
    EXPECT_EQ(decide(disk.content()).slot, "a");
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
