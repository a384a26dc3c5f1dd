/// The layout of a U-Boot board: the active slot is a variable of an environment that is held twice. Faults
/// at its writes; sectors are torn, and a reader of its own decides what boots.
#include "boot_readers.hpp"
#include "fault_injection.hpp"
#include "power_cut_disk.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/delta.hpp>
#include <sinew/firmware/io.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace sinew::firmware::test {

namespace {

constexpr std::uint64_t environment_block = 16;
constexpr std::uint64_t environment_copy_block = 32;
constexpr std::size_t environment_bytes = 16 * block_size_bytes;
constexpr std::uint64_t rootfs_a = 256;
constexpr std::uint64_t rootfs_b = 1024;
constexpr std::size_t rootfs_bytes = 600 * block_size_bytes;
constexpr std::size_t disk_bytes = 2048 * block_size_bytes;

/// One version's root file system; every block of it says which.
Bytes rootfs_of(int version) {
    static auto const unmarked = noise(rootfs_bytes, 3);
    auto bytes = unmarked;
    for (std::size_t at = 0; at < bytes.size(); at += block_size_bytes) {
        store_le32(bytes, at, static_cast<std::uint32_t>(version));
    }
    return bytes;
}

/// "nerves_fw_active" as U-Boot reads it; '?' if no copy is whole.
char active_slot(BlockDevice& disk) {
    auto variables = read_uboot_environment(bytes_at(disk, environment_block, environment_bytes),
                                            bytes_at(disk, environment_copy_block, environment_bytes));
    return variables && (*variables)["nerves_fw_active"].size() == 1 ? (*variables)["nerves_fw_active"][0]
                                                                     : '?';
}

/// The version in the slot that would be started; 0 if it isn't whole.
int booted_version(BlockDevice& disk) {
    auto const active = active_slot(disk);
    if (active == '?') {
        return 0;
    }
    auto const rootfs = bytes_at(disk, active == 'a' ? rootfs_a : rootfs_b, rootfs_bytes);
    auto const version = static_cast<int>(load_le32(rootfs, 0));
    return as_text(rootfs) == as_text(rootfs_of(version)) ? version : 0;
}

class UbootPowerCut : public ::testing::Test {
protected:
    Bytes const& archive(int version) {
        static std::map<int, Bytes> made;
        auto& archive = made[version];
        if (!archive.empty()) {
            return archive;
        }
        m_workshop.write("rootfs.img", rootfs_of(version));
        auto const upgrade = [](char from, char to) {
            auto const old = std::to_string(from == 'a' ? rootfs_a : rootfs_b);
            auto const offset = std::to_string(to == 'a' ? rootfs_a : rootfs_b);
            return std::string("task upgrade.") + to +
                   " {\n  require-uboot-variable(env, nerves_fw_active, " + from +
                   ")\n  on-init { uboot_unsetenv(env, \"" + to + ".nerves_fw_version\") }\n" +
                   "  on-resource rootfs.img { delta-source-raw-offset = " + old +
                   " delta-source-raw-count = 600 raw_write(" + offset + ") }\n" +
                   "  on-finish { uboot_setenv(env, \"" + to +
                   ".nerves_fw_version\", \"\\${FWUP_META_VERSION}\") uboot_setenv(env, nerves_fw_active, " +
                   to + ") }\n}\n";
        };
        auto const operation = [](std::string const& name, std::string const& function) {
            return "task " + name + " {\n  on-init { " + function + " }\n}\n";
        };
        archive = m_workshop.archive(
            "meta-platform = test\nmeta-version = " + std::to_string(version) +
            "\nfile-resource rootfs.img { host-path = rootfs.img skip-holes = false }\n"
            "uboot-environment env { block-offset = 16 block-count = 16 block-offset-redund = 32 }\n"
            "task complete {\n  on-resource rootfs.img { raw_write(256) }\n"
            "  on-finish { uboot_clearenv(env) uboot_setenv(env, nerves_fw_active, a) }\n}\n" +
            upgrade('a', 'b') + upgrade('b', 'a') + operation("validate", "uboot_setenv(env, trial, 0)") +
            operation("revert", "uboot_setenv(env, nerves_fw_active, a)"));
        return archive;
    }

    Bytes delta(int from, int to) {
        m_workshop.write("old.fw", archive(from));
        m_workshop.write("new.fw", archive(to));
        DeltaOptions options;
        options.from = m_workshop.path("old.fw");
        options.to = m_workshop.path("new.fw");
        options.output = m_workshop.path("delta.fw");
        must(make_delta_archive(options));
        return m_workshop.read("delta.fw");
    }

    static Bytes applied(BytesView update, Bytes const& before, std::string const& task) {
        return after({update, before, {.task = task}});
    }

    /// After any fault, one of the two versions boots, whole.
    static void expect_either(BytesView update, Bytes const& before, std::string const& task, int old_version,
                              int new_version) {
        bool was_new = false;
        inject_everywhere({update, before, {.task = task}}, {}, [&](PowerCutDisk& left) {
            auto const version = booted_version(left);
            ASSERT_TRUE(version == old_version || version == new_version) << version;
            was_new = was_new || version == new_version;
        });
        EXPECT_TRUE(was_new) << "the commit point was never crossed";
    }

    Workshop m_workshop;
    Bytes m_device = applied(archive(1), Bytes(disk_bytes), "complete");
};

TEST_F(UbootPowerCut, a_new_device_boots_what_was_written) {
    PowerCutDisk disk(m_device, PowerCutDisk::never);
    EXPECT_EQ(active_slot(disk), 'a');
    EXPECT_EQ(booted_version(disk), 1);
}

TEST_F(UbootPowerCut, during_an_upgrade_a_whole_slot_boots_though_sectors_are_torn) {
    expect_either(archive(2), m_device, "upgrade", 1, 2);
}

TEST_F(UbootPowerCut, during_the_way_back_to_the_first_slot_too) {
    expect_either(archive(3), applied(archive(2), m_device, "upgrade"), "upgrade", 2, 3);
}

TEST_F(UbootPowerCut, during_a_delta_upgrade_a_whole_slot_boots_though_sectors_are_torn) {
    expect_either(delta(1, 2), m_device, "upgrade", 1, 2);
}

TEST_F(UbootPowerCut, during_a_validation_and_a_revert_too) {
    auto const upgraded = applied(archive(2), m_device, "upgrade");
    expect_either(archive(2), upgraded, "validate", 2, 2);
    expect_either(archive(2), applied(archive(2), upgraded, "validate"), "revert", 2, 1);
}

TEST_F(UbootPowerCut, a_damaged_copy_of_the_environment_does_not_stop_an_upgrade) {
    for (auto const block : {environment_block, environment_copy_block}) {
        auto damaged = m_device;
        damaged[block * block_size_bytes + 100] ^= std::byte{1};
        PowerCutDisk disk(applied(archive(2), damaged, "upgrade"), PowerCutDisk::never);
        EXPECT_EQ(booted_version(disk), 2);
    }
}

} // namespace

} // namespace sinew::firmware::test
