// A log's file has a limit, and loses only its oldest lines.
#include "log/log_file.hpp"

#include <sinew/base/file.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace sinew::log {
namespace {

class LogFiles : public ::testing::Test {
protected:
    /// "line 00000\n": eleven bytes.
    static std::string line(unsigned number) {
        std::string const digits = std::to_string(number);
        return "line " + std::string(5 - digits.size(), '0') + digits + "\n";
    }
    [[nodiscard]] LogFile open(std::uint64_t limit_bytes) const {
        return LogFile::open(path, limit_bytes).value();
    }
    [[nodiscard]] std::string text() const { return read_text_file(path).value_or(""); }
    [[nodiscard]] std::string old_text() const { return read_text_file(path.string() + ".1").value_or(""); }
    static void write(LogFile& file, unsigned number) {
        ASSERT_TRUE(file.append(line(number)));
        ASSERT_TRUE(file.flush());
    }

    TemporaryDirectory directory = TemporaryDirectory::create().value();
    std::filesystem::path path = directory.path() / "log";
};

TEST_F(LogFiles, keep_the_newest_lines_in_two_files_of_their_limit) {
    LogFile file = open(30);
    for (unsigned number = 0; number < 7; ++number) {
        write(file, number);
    }
    EXPECT_EQ(old_text(), line(4) + line(5));
    EXPECT_EQ(text(), line(6));
}

TEST_F(LogFiles, keep_the_limit_within_what_is_written_at_once_too) {
    LogFile file = open(30);
    for (unsigned number = 0; number < 7; ++number) {
        ASSERT_TRUE(file.append(line(number)));
    }
    ASSERT_TRUE(file.flush());
    EXPECT_EQ(old_text() + text(), line(4) + line(5) + line(6));
}

TEST_F(LogFiles, go_on_where_the_last_run_ended) {
    {
        LogFile file = open(30);
        write(file, 0);
        write(file, 1);
    }
    LogFile file = open(30);
    write(file, 2);
    EXPECT_EQ(old_text() + text(), line(0) + line(1) + line(2));
}

TEST_F(LogFiles, take_a_line_that_is_longer_than_the_limit) {
    LogFile file = open(5);
    write(file, 0);
    write(file, 1);
    EXPECT_EQ(old_text() + text(), line(0) + line(1));
}

TEST_F(LogFiles, begin_anew_when_somebody_took_them_away) {
    LogFile file = open(1000);
    write(file, 0);
    std::filesystem::rename(path, path.string() + ".taken");
    write(file, 1);
    EXPECT_EQ(text(), line(1));
    std::filesystem::remove(path);
    write(file, 2);
    EXPECT_EQ(text(), line(2));
}

TEST_F(LogFiles, keep_their_limit_where_no_old_one_can_be_kept) {
    std::filesystem::create_directories(path.string() + ".1/in the way");
    LogFile file = open(30);
    for (unsigned number = 0; number < 5; ++number) {
        write(file, number);
    }
    EXPECT_EQ(text(), line(4));
}

TEST_F(LogFiles, of_two_programs_are_one) {
    LogFile first = open(30);
    LogFile second = open(30);
    write(first, 0);
    write(second, 1);
    write(first, 2);
    write(second, 3);
    write(second, 4);
    EXPECT_EQ(old_text(), line(2) + line(3));
    EXPECT_EQ(text(), line(4));
}

} // namespace
} // namespace sinew::log
