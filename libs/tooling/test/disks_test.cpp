#include "tool_fixture.hpp"

#include <sinew/tooling/disks.hpp>

#include <gmock/gmock.h>

namespace sinew::tooling {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A machine in a folder: /sys, /proc and /dev as the kernel would show them.
class DisksTest : public ToolFixture {
protected:
    DisksTest() {
        fs::create_directories(folder() / "sys/block");
        write("proc/self/mountinfo", "");
        write("proc/swaps", "Filename Type Size Used Priority\n");
    }

    struct Shape {
        std::string number;
        std::uint64_t sectors = 62'333'952;
        bool removable = false;
        std::string bus = "pci0000:00/ata1";
    };

    void add_disk(std::string const& name, Shape const& shape) {
        fs::path const real = fs::path("sys/devices") / shape.bus / name;
        write(real / "size", std::to_string(shape.sectors) + "\n");
        write(real / "removable", shape.removable ? "1\n" : "0\n");
        write(real / "ro", "0\n");
        write(real / "dev", shape.number + "\n");
        write(real / "device/model", "Ultra Fit        \n");
        write(real / "device/vendor", "SanDisk \n");
        fs::create_directory_symlink(folder() / real, folder() / "sys/block" / name);
    }
    void add_partition(std::string const& disk, std::string const& name, std::string const& number) {
        write(fs::path("sys/block") / disk / name / "partition", "1\n");
        write(fs::path("sys/block") / disk / name / "dev", number + "\n");
    }
    void mount(std::string const& number, std::string const& place) {
        m_mounts += "36 35 " + number + " / " + place + " rw,noatime shared:1 - ext4 /dev/x rw\n";
        write("proc/self/mountinfo", m_mounts);
    }
    [[nodiscard]] std::vector<Disk> disks() const {
        return list_disks({folder() / "sys", folder() / "proc", folder() / "dev"});
    }

private:
    std::string m_mounts;
};

TEST_F(DisksTest, cards_and_sticks_are_candidates) {
    add_disk("sdb", {.number = "8:16", .bus = "pci0000:00/usb1/1-2"});
    add_disk("mmcblk0", {.number = "179:0", .bus = "platform/mmc0"});
    write("sys/block/mmcblk0/device/type", "SD\n");
    add_disk("sdc", {.number = "8:32", .removable = true});
    auto const candidates = burn_candidates(disks());
    ASSERT_EQ(candidates.size(), 3u);
    EXPECT_EQ(candidates[1].path, folder() / "dev/sdb");
    EXPECT_THAT(describe(candidates[1]), HasSubstr("31.9 GB  SanDisk Ultra Fit"));
}

TEST_F(DisksTest, built_in_disks_are_no_candidates_but_may_be_named) {
    add_disk("sda", {.number = "8:0"});
    add_disk("mmcblk1", {.number = "179:8"});
    write("sys/block/mmcblk1/device/type", "MMC\n");
    EXPECT_TRUE(burn_candidates(disks()).empty());
    EXPECT_TRUE(check_burnable(disks().front()).has_value());
}

TEST_F(DisksTest, the_system_disk_is_never_burnable) {
    add_disk("sda", {.number = "8:0", .removable = true});
    add_partition("sda", "sda1", "8:1");
    mount("8:1", "/");
    auto const allowed = check_burnable(disks().front());
    ASSERT_FALSE(allowed.has_value());
    EXPECT_THAT(allowed.error().message(), HasSubstr("holds the running system (sda1 at /)"));
}

TEST_F(DisksTest, a_disk_below_an_encrypted_system_is_the_system_disk) {
    add_disk("nvme0n1", {.number = "259:0"});
    add_partition("nvme0n1", "nvme0n1p3", "259:3");
    write("sys/devices/virtual/dm-0/dev", "253:0\n");
    write("sys/devices/virtual/dm-1/dev", "253:1\n");
    fs::create_directories(folder() / "sys/block/nvme0n1/nvme0n1p3/holders");
    fs::create_directories(folder() / "sys/devices/virtual/dm-0/holders");
    fs::create_directory_symlink(folder() / "sys/devices/virtual/dm-0",
                                 folder() / "sys/block/nvme0n1/nvme0n1p3/holders/dm-0");
    fs::create_directory_symlink(folder() / "sys/devices/virtual/dm-1",
                                 folder() / "sys/devices/virtual/dm-0/holders/dm-1");
    mount("253:1", "/");
    EXPECT_TRUE(disks().front().holds_system);
}

TEST_F(DisksTest, a_disk_with_swap_is_the_system_disk) {
    add_disk("sda", {.number = "8:0"});
    add_partition("sda", "sda2", "8:2");
    write("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 100 0 -2\n");
    EXPECT_TRUE(disks().front().holds_system);
}

TEST_F(DisksTest, a_mounted_card_is_refused_with_where_it_is_mounted) {
    add_disk("sdb", {.number = "8:16", .removable = true});
    add_partition("sdb", "sdb1", "8:17");
    mount("8:17", "/media/me/MY\\040CARD");
    EXPECT_TRUE(burn_candidates(disks()).empty());
    auto const allowed = check_burnable(disks().front());
    ASSERT_FALSE(allowed.has_value());
    EXPECT_THAT(allowed.error().message(), HasSubstr("umount /media/me/MY CARD"));
}

TEST_F(DisksTest, a_card_mounted_without_a_partition_is_refused) {
    add_disk("sdb", {.number = "8:16", .removable = true});
    mount("8:16", "/mnt");
    EXPECT_FALSE(check_burnable(disks().front()).has_value());
}

TEST_F(DisksTest, a_locked_card_is_refused) {
    add_disk("sdb", {.number = "8:16", .removable = true});
    write("sys/block/sdb/ro", "1\n");
    EXPECT_THAT(check_burnable(disks().front()).error().message(), HasSubstr("lock switch"));
}

TEST_F(DisksTest, loops_empty_readers_and_controller_areas_are_no_disks) {
    add_disk("loop0", {.number = "7:0"});
    add_disk("sr0", {.number = "11:0", .removable = true});
    add_disk("sdd", {.number = "8:48", .sectors = 0, .removable = true});
    add_disk("mmcblk0boot0", {.number = "179:8"});
    EXPECT_TRUE(disks().empty());
}

} // namespace
} // namespace sinew::tooling
