/// When the data partition is mounted, repaired and, only then, formatted.
#include "data_partition.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace sinew::init {
namespace {

using testing::ElementsAre;

/// Remembers what was done; a mount succeeds from the call on that the test says.
class FakeTools final : public PartitionTools {
public:
    Result<PartitionContent> probe() override { return content; }
    Result<> mount() override {
        done.emplace_back("mount");
        bool const works = mount_works.front();
        if (mount_works.size() > 1) {
            mount_works.pop_front();
        }
        return works ? Result<>() : failure(ErrorCode::io, "damaged");
    }
    Result<int> check(Repair repair) override {
        done.emplace_back(repair == Repair::safe ? "check" : "check thoroughly");
        if (check_status.empty()) {
            return failure(ErrorCode::not_found, "no e2fsck");
        }
        int const status = check_status.front();
        check_status.pop_front();
        return status;
    }
    Result<> format() override {
        done.emplace_back("format");
        return {};
    }
    PartitionContent content = PartitionContent::file_system;
    std::deque<bool> mount_works{true};
    std::deque<int> check_status;
    std::vector<std::string> done;
};

class DataPartition : public testing::Test {
protected:
    DataOutcome bring_up() { return bring_up_data(m_tools, m_log).value(); }
    FakeTools m_tools;
    Log m_log;
};

TEST_F(DataPartition, a_whole_file_system_is_just_mounted) {
    EXPECT_EQ(bring_up(), DataOutcome::mounted);
    EXPECT_THAT(m_tools.done, ElementsAre("mount"));
}

TEST_F(DataPartition, a_blank_partition_is_formatted) {
    m_tools.content = PartitionContent::blank;
    EXPECT_EQ(bring_up(), DataOutcome::formatted);
    EXPECT_THAT(m_tools.done, ElementsAre("format", "mount"));
}

TEST_F(DataPartition, one_that_cannot_be_mounted_is_repaired_and_keeps_its_files) {
    m_tools.mount_works = {false, true};
    m_tools.check_status = {1};
    EXPECT_EQ(bring_up(), DataOutcome::repaired);
    EXPECT_THAT(m_tools.done, ElementsAre("mount", "check", "mount"));
}

TEST_F(DataPartition, noted_errors_are_repaired_before_it_is_mounted) {
    m_tools.content = PartitionContent::file_system_with_errors;
    m_tools.check_status = {0};
    EXPECT_EQ(bring_up(), DataOutcome::repaired);
    EXPECT_THAT(m_tools.done, ElementsAre("check", "mount"));
}

TEST_F(DataPartition, what_a_safe_repair_leaves_a_thorough_one_tries) {
    m_tools.mount_works = {false, true};
    m_tools.check_status = {4, 1};
    EXPECT_EQ(bring_up(), DataOutcome::repaired);
    EXPECT_THAT(m_tools.done, ElementsAre("mount", "check", "check thoroughly", "mount"));
}

TEST_F(DataPartition, it_is_formatted_only_after_both_repairs_have_failed) {
    m_tools.mount_works = {false, true};
    m_tools.check_status = {4, 8};
    EXPECT_EQ(bring_up(), DataOutcome::lost_and_formatted);
    EXPECT_THAT(m_tools.done, ElementsAre("mount", "check", "check thoroughly", "format", "mount"));
}

TEST_F(DataPartition, unknown_content_is_repaired_first_because_a_superblock_may_have_a_copy) {
    m_tools.content = PartitionContent::unknown;
    m_tools.check_status = {1};
    EXPECT_EQ(bring_up(), DataOutcome::repaired);
    EXPECT_THAT(m_tools.done, ElementsAre("check", "mount"));
}

TEST_F(DataPartition, without_a_check_nothing_is_formatted) {
    m_tools.mount_works = {false};
    EXPECT_FALSE(bring_up_data(m_tools, m_log));
    EXPECT_THAT(m_tools.done, ElementsAre("mount", "check"));
}

TEST_F(DataPartition, when_nothing_helps_the_error_comes_back) {
    m_tools.mount_works = {false};
    m_tools.check_status = {0};
    EXPECT_FALSE(bring_up_data(m_tools, m_log));
    EXPECT_THAT(m_tools.done, ElementsAre("mount", "check", "mount", "format", "mount"));
}

Bytes ext4_start(std::uint16_t state) {
    Bytes start(partition_probe_bytes);
    store_le16(start, 1024 + 56, 0xEF53);
    store_le16(start, 1024 + 58, state);
    return start;
}

TEST(PartitionContentOf, only_zeros_or_only_ones_are_blank) {
    EXPECT_EQ(classify_partition(Bytes(partition_probe_bytes)), PartitionContent::blank);
    EXPECT_EQ(classify_partition(Bytes(partition_probe_bytes, std::byte{0xff})), PartitionContent::blank);
    EXPECT_EQ(classify_partition(Bytes(partition_probe_bytes, std::byte{0x55})), PartitionContent::unknown);
    Bytes almost(partition_probe_bytes);
    almost.back() = std::byte{1};
    EXPECT_EQ(classify_partition(almost), PartitionContent::unknown);
}

TEST(PartitionContentOf, a_superblock_is_known_by_its_magic_and_tells_of_errors) {
    EXPECT_EQ(classify_partition(ext4_start(1)), PartitionContent::file_system);
    EXPECT_EQ(classify_partition(ext4_start(0)), PartitionContent::file_system);
    EXPECT_EQ(classify_partition(ext4_start(3)), PartitionContent::file_system_with_errors);
}

TEST(PartitionContentOf, too_little_to_see_is_unknown_and_never_blank) {
    EXPECT_EQ(classify_partition(Bytes(1024)), PartitionContent::unknown);
    EXPECT_EQ(classify_partition({}), PartitionContent::unknown);
}

} // namespace
} // namespace sinew::init
