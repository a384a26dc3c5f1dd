/// A damaged partition table, and the partitions that the firmware knows.
#include "partition_repair.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sinew::init {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class RecordingKernel final : public KernelPartitions {
public:
    Result<> remove(int number) override {
        done.push_back("remove " + std::to_string(number));
        return {};
    }
    Result<> add(int number, std::uint64_t first_block, std::uint64_t block_count) override {
        done.push_back("add " + std::to_string(number) + " at " + std::to_string(first_block) + "+" +
                       std::to_string(block_count));
        return {};
    }
    std::vector<std::string> done;
};

class PartitionRepair : public testing::Test {
protected:
    PartitionRepair() {
        m_config.partitions = {{"boot_a", 1}, {"data", 7}};
        m_config.partition_places = {{"boot_a", {.first_block = 4096, .block_count = 100}},
                                     {"data", {.first_block = 8192, .block_count = 0}}};
        write("size", 20000);
        add("vda1", 1, 4096, 100);
        add("vda7", 7, 8192, 11808);
    }
    void write(fs::path const& name, std::uint64_t number) {
        auto const file = m_paths.sys_block / "vda" / name;
        fs::create_directories(file.parent_path());
        ASSERT_TRUE(write_file_atomically(file, as_bytes(std::to_string(number) + "\n")));
    }
    void add(std::string const& name, int number, std::uint64_t first, std::uint64_t count) {
        write(fs::path(name) / "start", first);
        write(fs::path(name) / "size", count);
        m_disk.partitions[number] = name;
    }
    TemporaryDirectory m_root = TemporaryDirectory::create().value();
    BlockDevicePaths m_paths{.sys_block = m_root.path() / "block", .dev = m_root.path() / "dev"};
    device::InitConfig m_config;
    Disk m_disk{.name = "vda", .partitions = {}};
    RecordingKernel m_kernel;
};

TEST_F(PartitionRepair, a_table_that_says_what_the_firmware_knows_is_right) {
    EXPECT_TRUE(are_partitions_right(m_paths, m_disk, m_config));
}

TEST_F(PartitionRepair, a_partition_that_is_missing_or_elsewhere_makes_it_wrong) {
    add("vda1", 1, 4097, 100);
    EXPECT_FALSE(are_partitions_right(m_paths, m_disk, m_config));
    add("vda1", 1, 4096, 99);
    EXPECT_FALSE(are_partitions_right(m_paths, m_disk, m_config));
    m_disk.partitions.erase(1);
    EXPECT_FALSE(are_partitions_right(m_paths, m_disk, m_config));
}

TEST_F(PartitionRepair, what_the_kernel_has_gives_way_to_what_the_firmware_knows) {
    m_disk.partitions = {{2, "vda2"}};
    ASSERT_TRUE(replace_partitions(m_paths, m_disk, m_config, m_kernel));
    EXPECT_THAT(m_kernel.done, ElementsAre("remove 2", "add 1 at 4096+100", "add 7 at 8192+11808"));
}

TEST_F(PartitionRepair, a_firmware_that_knows_no_places_takes_what_the_table_says) {
    m_config.partition_places.clear();
    m_disk.partitions.clear();
    EXPECT_TRUE(are_partitions_right(m_paths, m_disk, m_config));
}

} // namespace
} // namespace sinew::init
