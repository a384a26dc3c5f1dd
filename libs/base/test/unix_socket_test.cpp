// Unix sockets: who is reached, and what is replaced.
#include <sinew/base/unix_socket.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace sinew {
namespace {

class UnixSocket : public ::testing::Test {
protected:
    UnixSocket() {
        std::string pattern = (std::filesystem::temp_directory_path() / "sinew-socket-XXXXXX").string();
        m_folder = mkdtemp(pattern.data());
    }
    ~UnixSocket() override { std::filesystem::remove_all(m_folder); }
    UnixSocket(UnixSocket const&) = delete;
    UnixSocket& operator=(UnixSocket const&) = delete;
    UnixSocket(UnixSocket&&) = delete;
    UnixSocket& operator=(UnixSocket&&) = delete;

    std::filesystem::path m_folder;
    std::filesystem::path path() const { return m_folder / "x.sock"; }
};

TEST_F(UnixSocket, both_ends_meet) {
    auto const listener = listen_on_unix_socket(path()).value();
    auto const client = connect_to_unix_socket(path()).value();
    FileDescriptor const served(::accept(listener.get(), nullptr, nullptr));
    ASSERT_TRUE(served);
    ASSERT_EQ(::write(client.get(), "hi", 2), 2);
    std::string received(2, '\0');
    ASSERT_EQ(::read(served.get(), received.data(), received.size()), 2);
    EXPECT_EQ(received, "hi");
}

TEST_F(UnixSocket, only_its_user_reaches_it) {
    auto const listener = listen_on_unix_socket(path()).value();
    struct stat status{};
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(UnixSocket, the_mask_for_new_files_has_no_say_in_it_and_is_left_alone) {
    mode_t const before = ::umask(0);
    auto const listener = listen_on_unix_socket(path());
    mode_t const after = ::umask(before);
    ASSERT_TRUE(listener);
    struct stat status{};
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_EQ(after, 0U);
}

TEST_F(UnixSocket, one_that_is_served_is_kept) {
    auto const listener = listen_on_unix_socket(path()).value();
    EXPECT_EQ(listen_on_unix_socket(path()).error().code(), ErrorCode::exists);
    EXPECT_TRUE(connect_to_unix_socket(path()));
}

TEST_F(UnixSocket, one_that_was_left_behind_is_replaced) {
    (void)listen_on_unix_socket(path()).value();
    EXPECT_EQ(connect_to_unix_socket(path()).error().code(), ErrorCode::unavailable);
    EXPECT_TRUE(listen_on_unix_socket(path()));
}

TEST_F(UnixSocket, a_path_that_is_another_file_is_refused_and_the_file_kept) {
    std::ofstream(path()) << "precious";
    EXPECT_FALSE(listen_on_unix_socket(path()));
    EXPECT_EQ(std::filesystem::file_size(path()), 8U);
}

TEST_F(UnixSocket, nobody_and_a_path_too_long_are_named) {
    EXPECT_EQ(connect_to_unix_socket(path()).error().code(), ErrorCode::unavailable);
    std::filesystem::path const long_path = m_folder / std::string(120, 'x');
    EXPECT_EQ(listen_on_unix_socket(long_path).error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(connect_to_unix_socket("").error().code(), ErrorCode::invalid_argument);
}

} // namespace
} // namespace sinew
