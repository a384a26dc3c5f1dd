/// What the tests of the generated update scripts share: a device in memory, firmware for it, and what GRUB's
/// script decides.
#pragma once

#include "boot_readers.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/boot_counters.hpp>
#include <sinew/firmware.hpp>
#include <sinew/system/boot_script.hpp>
#include <sinew/system/update_script.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::system {

namespace fs = std::filesystem;

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
    std::optional<std::uint64_t> ubi_volume_bytes(fs::path const&) const override { return std::nullopt; }

private:
    std::optional<std::uint64_t> m_block;
};

/// What GRUB's script decides, said in C++. That GRUB decides the same is shown in
/// test/system/test_boot_state.py.
struct Decision {
    std::string slot;
    bool trial = false;
    bool operator==(Decision const&) const = default;
};

class UpdateScriptTest : public ::testing::Test {
protected:
    TemporaryDirectory m_folder = *TemporaryDirectory::create();
    Description m_description = small_description();
    Layout m_layout = layout_of(m_description);

    /// The real target with small partitions, so that a test is quick.
    static Description small_description() {
        auto description = description_of(x86_64_text());
        for (auto& partition : description.disk.partitions) {
            partition.size_mib = 1;
        }
        return description;
    }

    /// Noise with `mark` in every block, so that a mixture of two versions is recognised, and a patch is
    /// small.
    static Bytes content(std::size_t size, char mark) {
        static std::map<std::size_t, Bytes> made;
        auto& noise = made[size];
        std::mt19937 random(static_cast<std::uint32_t>(size));
        while (noise.size() < size) {
            noise.push_back(static_cast<std::byte>(random()));
        }
        auto bytes = noise;
        for (std::size_t at = 0; at < size; at += block_size_bytes) {
            bytes[at] = static_cast<std::byte>(mark);
        }
        return bytes;
    }
    static constexpr std::size_t kernel_bytes = 150'000;
    static constexpr std::size_t initramfs_bytes = 60'000;
    static constexpr std::size_t rootfs_bytes = 300'000;

    /// Packs a firmware whose files are marked.
    fs::path pack(std::string const& version, char mark) {
        auto const file = [&](std::string const& name, std::size_t size) {
            auto const path = m_folder.path() / (version + "-" + name);
            EXPECT_TRUE(write_file_atomically(path, content(size, mark)));
            return path;
        };
        FirmwareFiles files{.core_image = file("core.img", 9000),
                            .kernel = file("vmlinuz", kernel_bytes),
                            .initramfs = file("initramfs", initramfs_bytes),
                            .slot_script = file("grub.cfg", 300),
                            .rootfs = file("rootfs", rootfs_bytes),
                            .tried_archive = m_folder.path() / "tried.tar",
                            .boot_code_hex = std::string(880, '0')};
        EXPECT_TRUE(write_file_atomically(files.tried_archive, tried_archive()));
        auto const text =
            update_script(m_description, m_layout, {.product = "say \"$x\\\"", .version = version}, files);
        return create("fw-" + version, text);
    }
    fs::path pack_operations() {
        return create("ops", operations_script(m_description, m_layout, {.product = "ops", .version = "1"},
                                               std::string(880, '0')));
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
        auto const variables_of = [&](std::uint64_t number) {
            return firmware::test::read_grub_block(as_bytes(block(disk, number)));
        };
        auto state = variables_of(boot.state_block);
        if (state["whole"] != "yes") {
            state = variables_of(boot.state_copy_block);
        }
        auto counters = variables_of(boot.tried_block);
        if (state["whole"] != "yes") {
            return {.slot = counters["active"] == "b" ? "b" : "a", .trial = false};
        }
        auto const trial = state["try"];
        if (!trial.empty() && counters["tried"] == "0") {
            return {.slot = trial, .trial = true};
        }
        return {.slot = state["slot"], .trial = false};
    }
    /// GRUB starts the trial.
    void start_trial(Bytes& disk) const {
        auto const at = m_description.bootloader.tried_block * block_size_bytes;
        auto counters = device::parse_boot_counters(as_bytes(block(disk, at / block_size_bytes)));
        ASSERT_TRUE(counters);
        counters->tried = true;
        counters->starts = counters->runs = 1;
        RecordingDevice::apply({at, to_bytes(device::format_boot_counters(*counters))}, disk);
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

} // namespace sinew::system
