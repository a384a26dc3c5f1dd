/// Finding the firmware's own disk, with files in place of disks.
#include "disk.hpp"
#include "mbr.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::init {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::uint32_t our_signature = 0x51e3b0a7;

Bytes sector_with(std::uint32_t signature) {
    Bytes sector(mbr_bytes);
    store_le32(sector, 440, signature);
    store_le16(sector, 510, 0xAA55);
    return sector;
}

/// Plays the kernel: each wait may add devices, and takes time.
class ScriptedEvents final : public DeviceEvents {
public:
    explicit ScriptedEvents(ManualClock& clock)
        : m_clock(clock) {}
    void wait(Duration at_most) override {
        m_clock.advance(at_most);
        if (m_next < steps.size()) {
            steps[m_next++]();
        }
    }
    std::vector<std::function<void()>> steps;

private:
    ManualClock& m_clock;
    std::size_t m_next = 0;
};

class DiskSearch : public testing::Test {
protected:
    void add_disk(std::string const& name, std::uint32_t signature) {
        fs::create_directories(m_paths.dev);
        fs::create_directories(m_paths.sys_block / name);
        ASSERT_TRUE(write_file_atomically(m_paths.dev / name, sector_with(signature)));
    }
    void add_partition(std::string const& disk, std::string const& name, int number) {
        auto const folder = m_paths.sys_block / disk / name;
        fs::create_directories(folder);
        ASSERT_TRUE(write_file_atomically(folder / "partition", as_bytes(std::to_string(number) + "\n")));
    }
    Result<Disk> wait(std::vector<int> const& numbers) {
        return wait_for_disk(m_paths, our_signature, numbers, m_events, m_clock, 30s);
    }
    TemporaryDirectory m_root = TemporaryDirectory::create().value();
    BlockDevicePaths m_paths{.sys_block = m_root.path() / "block", .dev = m_root.path() / "dev"};
    ManualClock m_clock;
    ScriptedEvents m_events{m_clock};
};

TEST(Mbr, the_signature_is_read_only_from_a_boot_record) {
    EXPECT_EQ(parse_disk_signature(sector_with(0x01020304)).value(), 0x01020304U);
    EXPECT_FALSE(parse_disk_signature(Bytes(mbr_bytes)));
    EXPECT_FALSE(parse_disk_signature(Bytes(mbr_bytes - 1)));
}

TEST(Mbr, the_configurations_form_is_eight_digits) {
    EXPECT_EQ(parse_signature_text("51E3b0a7").value(), our_signature);
    EXPECT_EQ(parse_signature_text("0x51e3b0a7").value(), our_signature);
    for (auto const* text : {"", "51e3b0a", "51e3b0a70", "51e3b0ag", "-1e3b0a7", "0x"}) {
        EXPECT_FALSE(parse_signature_text(text)) << text;
    }
}

TEST_F(DiskSearch, the_disk_is_told_by_its_signature_and_not_by_its_name) {
    add_disk("sda", 0xdeadbeef);
    add_disk("sdb", our_signature);
    add_partition("sdb", "sdb5", 5);
    auto const disk = find_disk(m_paths, our_signature);
    ASSERT_TRUE(disk);
    EXPECT_EQ(disk->name, "sdb");
    EXPECT_EQ(disk->partitions, (std::map<int, std::string>{{5, "sdb5"}}));
    EXPECT_FALSE(disk->ambiguous);
}

TEST_F(DiskSearch, of_two_copies_the_first_by_name_is_taken_and_it_says_so) {
    add_disk("sdb", our_signature);
    add_disk("mmcblk0", our_signature);
    auto const disk = find_disk(m_paths, our_signature);
    ASSERT_TRUE(disk);
    EXPECT_EQ(disk->name, "mmcblk0");
    EXPECT_TRUE(disk->ambiguous);
}

TEST_F(DiskSearch, a_loop_device_is_never_the_system_disk) {
    add_disk("loop0", our_signature);
    EXPECT_FALSE(find_disk(m_paths, our_signature));
}

TEST_F(DiskSearch, a_disk_that_comes_late_is_waited_for_until_its_partitions_are_there_too) {
    m_events.steps = {[this] { add_disk("vda", our_signature); }, [this] { add_partition("vda", "vda5", 5); },
                      [this] { add_partition("vda", "vda6", 6); }};
    auto const began = m_clock.now();
    auto const disk = wait({5, 6});
    ASSERT_TRUE(disk) << disk.error().message();
    EXPECT_EQ(disk->partitions.size(), 2U);
    EXPECT_LE(m_clock.now() - began, 2s);
}

TEST_F(DiskSearch, a_disk_that_never_comes_is_an_error_that_lists_what_is_there) {
    add_disk("sda", 0xdeadbeef);
    auto const disk = wait({5});
    ASSERT_FALSE(disk);
    EXPECT_EQ(disk.error().code(), ErrorCode::timed_out);
    EXPECT_THAT(disk.error().message(), HasSubstr("disks seen: sda"));
}

TEST_F(DiskSearch, a_missing_partition_is_named) {
    add_disk("vda", our_signature);
    add_partition("vda", "vda5", 5);
    EXPECT_THAT(wait({5, 7}).error().message(), HasSubstr("disk vda lacks partition 7"));
}

TEST_F(DiskSearch, links_are_made_for_the_disk_and_each_partition_and_replace_older_ones) {
    fs::create_directories(m_paths.dev);
    fs::create_symlink("old", m_paths.dev / "rootdisk0");
    Disk const disk{.name = "mmcblk0", .partitions = {{1, "mmcblk0p1"}, {7, "mmcblk0p7"}}};
    ASSERT_TRUE(link_disk(m_paths.dev, disk));
    EXPECT_EQ(fs::read_symlink(m_paths.dev / "rootdisk0"), "mmcblk0");
    EXPECT_EQ(fs::read_symlink(m_paths.dev / "rootdisk0p7"), "mmcblk0p7");
}

} // namespace
} // namespace sinew::init
