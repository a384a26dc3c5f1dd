/// File descriptors, whole files and their atomic replacement.
#include "sinew/base/bytes.hpp"
#include "sinew/base/result.hpp"

#include <sinew/base/file.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <iterator>
#include <utility>

namespace sinew {
namespace {

class File : public testing::Test {
protected:
    TemporaryDirectory m_directory = TemporaryDirectory::create("file-test").value();
    std::filesystem::path m_path = m_directory.path() / "file";

    [[nodiscard]] auto entries() const {
        return std::distance(std::filesystem::directory_iterator(m_directory.path()),
                             std::filesystem::directory_iterator());
    }
};

TEST_F(File, a_descriptor_is_closed_once_by_its_last_owner) {
    auto first = open_file("/dev/null", O_RDONLY).value();
    int const number = first.get();
    FileDescriptor second = std::move(first);
    EXPECT_EQ(second.get(), number);
    EXPECT_FALSE(first); // NOLINT(bugprone-use-after-move): that it is empty is what is shown
    second.close();
    EXPECT_EQ(::fcntl(number, F_GETFD), -1);
    EXPECT_EQ(errno, EBADF);
}

TEST_F(File, descriptors_are_not_inherited_by_programs) {
    auto const file = open_file("/dev/null", O_RDONLY).value();
    EXPECT_EQ(::fcntl(file.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST_F(File, an_error_names_the_path_and_the_reason) {
    auto const missing = open_file(m_path, O_RDONLY);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
    EXPECT_EQ(missing.error().message(), "can't open " + m_path.string() + ": No such file or directory");
}

TEST_F(File, atomic_write_replaces_content_and_mode_and_leaves_nothing_beside) {
    ASSERT_TRUE(write_file_atomically(m_path, as_bytes("old"), 0600));
    ASSERT_TRUE(write_file_atomically(m_path, as_bytes("new content"), 0640));
    EXPECT_EQ(read_text_file(m_path).value(), "new content");
    struct stat status{};
    ASSERT_EQ(::stat(m_path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0640u);
    EXPECT_EQ(entries(), 1);
}

TEST_F(File, a_failed_atomic_write_keeps_the_old_file_and_leaves_nothing_beside) {
    std::filesystem::create_directories(m_path / "occupied");
    auto const failed = write_file_atomically(m_path, as_bytes("x"));
    ASSERT_FALSE(failed);
    EXPECT_TRUE(std::filesystem::is_directory(m_path));
    EXPECT_EQ(entries(), 1);
}

TEST_F(File, a_full_device_is_no_space) {
    auto const full = open_file("/dev/full", O_WRONLY).value();
    auto const failed = write_all(full, as_bytes("x"));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::no_space);
}

TEST_F(File, reading_is_bounded) {
    ASSERT_TRUE(write_file_atomically(m_path, as_bytes("12345")));
    EXPECT_EQ(read_text_file(m_path, 5).value(), "12345");
    auto const failed = read_file(m_path, 4);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message(), m_path.string() + ": larger than the limit of 4 bytes");
}

TEST_F(File, positioned_reads_and_writes_say_when_a_file_is_too_short) {
    auto const file = open_file(m_path, O_RDWR | O_CREAT).value();
    ASSERT_TRUE(write_all_at(file, as_bytes("abc"), 2));
    Bytes content(3);
    ASSERT_TRUE(read_exactly_at(file, content, 2));
    EXPECT_EQ(as_text(content), "abc");
    auto const failed = read_exactly_at(file, content, 4);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::corrupt);
    EXPECT_EQ(failed.error().message(), m_path.string() + ": ends at byte 5, 2 bytes too early");
}

TEST_F(File, a_temporary_directory_goes_with_its_content) {
    std::filesystem::path path;
    {
        auto const directory = TemporaryDirectory::create().value();
        path = directory.path();
        ASSERT_TRUE(write_file_atomically(path / "inside", as_bytes("x")));
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

} // namespace
} // namespace sinew
