/// When the data partition is mounted, repaired or left alone, and the only two reasons to format it.
#include "data_partition.hpp"
#include "memory_partition.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace sinew::init {
namespace {

using device::DataState;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Remembers what was done. Answers come one after the other; the last one stays.
class FakeTools final : public PartitionTools {
public:
    Result<PartitionBytes*> bytes() override { return &partition; }
    Result<> mount(Access access) override {
        done.emplace_back(access == Access::read_only ? "mount read-only" : "mount");
        int const error = access == Access::read_only ? read_only_error : next(mount_errors);
        return error == 0 ? Result<>() : std::unexpected(error_from_errno(error, "can't mount"));
    }
    Result<int> check(Repair repair, std::optional<SuperblockCopy> const& copy) override {
        done.push_back(std::string(repair == Repair::safe ? "check" : "check thoroughly") +
                       (copy ? " with " + std::to_string(copy->block) : ""));
        int const status = next(check_statuses);
        return status < 0 ? Result<int>(failure(ErrorCode::not_found, "no e2fsck")) : Result<int>(status);
    }
    Result<> make_file_system() override {
        done.emplace_back("make");
        if (make_fails) {
            return failure(ErrorCode::io, "mke2fs ended with status 1");
        }
        partition.put_superblocks(1, 0);
        return {};
    }
    MemoryPartition partition;
    std::deque<int> mount_errors{0};
    int read_only_error = EINVAL;
    std::deque<int> check_statuses{0};
    bool make_fails = false;
    std::vector<std::string> done;

private:
    static int next(std::deque<int>& answers) {
        int const answer = answers.front();
        if (answers.size() > 1) {
            answers.pop_front();
        }
        return answer;
    }
};

class DataPartition : public testing::Test {
protected:
    DataPartition() { m_tools.partition.put_superblocks(1, 5); }
    DataState bring_up(OnTrial trial = OnTrial::no) {
        m_tools.done.clear();
        m_report = bring_up_data(m_tools, trial, m_log);
        return m_report.state;
    }
    /// Its superblock reads as 0xff, like the rest of the first 128 KiB.
    void lose_the_start() { m_tools.partition.fill_start(std::byte{0xff}); }
    FakeTools m_tools;
    DataReport m_report;
    Log m_log;
};

TEST_F(DataPartition, a_whole_file_system_is_just_mounted) {
    EXPECT_EQ(bring_up(), DataState::mounted);
    EXPECT_THAT(m_tools.done, ElementsAre("mount"));
    EXPECT_EQ(m_report.detail, "");
}

TEST_F(DataPartition, one_that_is_marked_is_formatted) {
    m_tools.partition.mark();
    EXPECT_EQ(bring_up(), DataState::formatted);
    EXPECT_THAT(m_tools.done, ElementsAre("make", "mount"));
    EXPECT_EQ(bring_up(), DataState::mounted) << "the mark is gone";
}

TEST_F(DataPartition, one_that_was_never_used_is_formatted) {
    m_tools.partition.content = Bytes(MemoryPartition::size);
    EXPECT_EQ(bring_up(), DataState::formatted);
}

TEST_F(DataPartition, a_format_that_fails_is_tried_again_by_the_next_start) {
    m_tools.partition.mark();
    m_tools.make_fails = true;
    EXPECT_EQ(bring_up(), DataState::missing);
    EXPECT_THAT(m_report.detail, HasSubstr("mke2fs"));
    m_tools.make_fails = false;
    EXPECT_EQ(bring_up(), DataState::formatted);
}

TEST_F(DataPartition, a_kernel_that_cannot_mount_it_says_nothing_about_the_data) {
    for (int const error : {ENODEV, ENOENT, ENOMEM, EACCES, EPERM, ENXIO}) {
        m_tools.mount_errors = {error};
        EXPECT_EQ(bring_up(), DataState::missing) << error;
        EXPECT_THAT(m_tools.done, ElementsAre("mount")) << error;
    }
}

TEST_F(DataPartition, a_check_that_finds_nothing_and_a_mount_that_still_fails_end_without_data) {
    m_tools.mount_errors = {EINVAL};
    m_tools.check_statuses = {0};
    EXPECT_EQ(bring_up(), DataState::missing);
    EXPECT_THAT(m_tools.done, ElementsAre("mount", "check", "mount"));
}

TEST_F(DataPartition, a_check_that_cannot_be_started_is_no_damage) {
    m_tools.mount_errors = {EINVAL};
    for (int const status : {-1, 8, 12, 32, 126, 127, 128 + 7, 128 + 11, 255}) {
        m_tools.check_statuses = {status};
        EXPECT_EQ(bring_up(), DataState::missing) << status;
        EXPECT_THAT(m_tools.done, Not(Contains("check thoroughly"))) << status;
        EXPECT_THAT(m_tools.done, Not(Contains("make"))) << status;
    }
}

TEST_F(DataPartition, one_that_cannot_be_mounted_is_repaired_and_keeps_its_files) {
    m_tools.mount_errors = {EUCLEAN, 0};
    m_tools.check_statuses = {1};
    EXPECT_EQ(bring_up(), DataState::repaired);
    EXPECT_THAT(m_tools.done, ElementsAre("mount", "check", "mount"));
}

TEST_F(DataPartition, noted_errors_are_repaired_before_it_is_mounted) {
    m_tools.partition.put_superblocks(3, 5);
    EXPECT_EQ(bring_up(), DataState::repaired);
    EXPECT_THAT(m_tools.done, ElementsAre("check", "mount"));
}

TEST_F(DataPartition, noted_errors_that_cannot_be_checked_do_not_keep_it_from_being_mounted) {
    m_tools.partition.put_superblocks(3, 5);
    m_tools.check_statuses = {-1};
    EXPECT_EQ(bring_up(), DataState::mounted);
    EXPECT_THAT(m_report.detail, HasSubstr("no e2fsck"));
}

TEST_F(DataPartition, what_a_safe_repair_leaves_a_thorough_one_tries_twice) {
    m_tools.mount_errors = {EUCLEAN, 0};
    m_tools.check_statuses = {4, 4, 1};
    EXPECT_EQ(bring_up(), DataState::repaired);
    EXPECT_THAT(m_tools.done, ElementsAre("mount", "check", "check thoroughly", "check thoroughly", "mount"));
}

TEST_F(DataPartition, what_nothing_repairs_is_kept_as_it_is_and_readable_if_it_can_be) {
    m_tools.mount_errors = {EUCLEAN};
    m_tools.check_statuses = {4};
    EXPECT_EQ(bring_up(), DataState::missing);
    EXPECT_THAT(m_tools.done,
                ElementsAre("mount", "check", "check thoroughly", "check thoroughly", "mount read-only"));
    m_tools.read_only_error = 0;
    EXPECT_EQ(bring_up(), DataState::read_only);
}

TEST_F(DataPartition, a_start_that_reads_as_uniform_bytes_is_repaired_with_a_copy_of_the_superblock) {
    lose_the_start();
    m_tools.check_statuses = {4, 1};
    EXPECT_EQ(bring_up(), DataState::repaired);
    EXPECT_THAT(m_tools.done, ElementsAre("check with 8193", "check thoroughly with 8193", "mount"));
}

TEST_F(DataPartition, a_superblock_that_the_check_refuses_is_replaced_by_its_copy) {
    m_tools.mount_errors = {EUCLEAN, 0};
    m_tools.check_statuses = {8, 1};
    EXPECT_EQ(bring_up(), DataState::repaired);
    EXPECT_THAT(m_tools.done, ElementsAre("mount", "check", "check with 8193", "mount"));
}

TEST_F(DataPartition, unknown_content_is_left_alone) {
    m_tools.partition.content = Bytes(MemoryPartition::size);
    m_tools.partition.fill_start(std::byte{0x55});
    EXPECT_EQ(bring_up(), DataState::missing);
    EXPECT_THAT(m_tools.done, IsEmpty());
}

TEST_F(DataPartition, what_cannot_be_read_is_left_alone) {
    lose_the_start();
    m_tools.partition.unreadable_at = 8193 * 1024;
    EXPECT_EQ(bring_up(), DataState::missing);
    EXPECT_THAT(m_tools.done, IsEmpty());
}

TEST_F(DataPartition, on_trial_nothing_is_formatted_and_nothing_repaired_beyond_what_is_safe) {
    m_tools.partition.mark();
    EXPECT_EQ(bring_up(OnTrial::yes), DataState::missing);
    EXPECT_THAT(m_tools.done, IsEmpty());
    m_tools.partition.put_superblocks(1, 5);
    m_tools.mount_errors = {EUCLEAN};
    m_tools.check_statuses = {4};
    EXPECT_EQ(bring_up(OnTrial::yes), DataState::missing);
    EXPECT_THAT(m_tools.done, ElementsAre("mount", "check"));
    m_tools.mount_errors = {EUCLEAN, 0};
    m_tools.check_statuses = {1};
    EXPECT_EQ(bring_up(OnTrial::yes), DataState::repaired);
}

/// Whatever the programs answer, a partition with a superblock or a copy of one is never formatted.
TEST_F(DataPartition, no_combination_of_answers_formats_what_may_be_data) {
    for (bool const start_is_lost : {false, true}) {
        for (int const mount : {0, ENODEV, ENOENT, EINVAL, EIO, EUCLEAN}) {
            for (int const first : {-1, 0, 1, 4, 8, 127, 139}) {
                for (int const second : {-1, 0, 4, 8}) {
                    m_tools.partition.put_superblocks(1, 5);
                    if (start_is_lost) {
                        lose_the_start();
                    }
                    m_tools.mount_errors = {mount};
                    m_tools.check_statuses = {first, second};
                    (void)bring_up();
                    ASSERT_THAT(m_tools.done, Not(Contains("make")));
                }
            }
        }
    }
}

} // namespace
} // namespace sinew::init
