/// The cache: only what is whole and right has its final name.
#include "cache.hpp"
#include "sha256.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/lock.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace sinew::system {
namespace {

namespace fs = std::filesystem;

class CacheTest : public ::testing::Test {
protected:
    TemporaryDirectory m_folder = *TemporaryDirectory::create();
    Cache m_cache = *Cache::open(m_folder.path());
    fs::path m_download = m_folder.path() / "download.deb";

    LockedPackage package_with(std::string const& content) {
        EXPECT_TRUE(write_file_atomically(m_download, as_bytes(content)));
        return {.name = "p",
                .version = "1",
                .architecture = "all",
                .sha256 = sha256_text(content),
                .size_bytes = static_cast<std::int64_t>(content.size())};
    }
};

TEST_F(CacheTest, the_hash_is_the_known_one) {
    EXPECT_EQ(sha256_text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ASSERT_TRUE(write_file_atomically(m_download, as_bytes("abc")));
    EXPECT_EQ(*sha256_file(m_download), sha256_text("abc"));
}

TEST_F(CacheTest, a_package_with_the_right_hash_is_kept) {
    auto const package = package_with("content");
    EXPECT_FALSE(m_cache.has_package(package));
    ASSERT_TRUE(m_cache.add_package(m_download, package));
    EXPECT_TRUE(m_cache.has_package(package));
}

TEST_F(CacheTest, a_package_with_another_hash_is_refused_and_removed) {
    auto package = package_with("content");
    package.sha256 = std::string(64, '0');
    auto const added = m_cache.add_package(m_download, package);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code(), ErrorCode::corrupt);
    EXPECT_FALSE(fs::exists(m_download));
    EXPECT_FALSE(m_cache.has_package(package));
}

TEST_F(CacheTest, what_an_interrupted_build_left_is_swept_and_nothing_else) {
    auto const work = m_cache.make_work_folder("x86_64");
    ASSERT_TRUE(work);
    auto const other = m_cache.make_work_folder("rpi4");
    ASSERT_TRUE(other);
    auto const built = m_cache.system("x86_64", std::string(64, 'a'));
    fs::create_directories(built);
    ASSERT_TRUE(m_cache.sweep("x86_64"));
    EXPECT_FALSE(fs::exists(*work));
    EXPECT_TRUE(fs::exists(*other));
    EXPECT_TRUE(fs::exists(built));
}

TEST_F(CacheTest, a_second_build_waits_and_a_dead_one_leaves_no_lock) {
    bool waited = false;
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    auto const child = ::fork();
    if (child == 0) { // holds the lock until it is told to die
        auto const held = m_cache.lock("x86_64", {});
        char byte = held ? '+' : '-';
        (void)!::write(pipe_ends[1], &byte, 1);
        ::pause();
        ::_exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(pipe_ends[0], &byte, 1), 1);
    ASSERT_EQ(byte, '+');
    auto const taken = m_cache.lock("x86_64", [&](std::string const& holder) {
        waited = holder.contains(std::to_string(child));
        ::kill(child, SIGKILL); // the lock must end with its holder
    });
    EXPECT_TRUE(taken);
    EXPECT_TRUE(waited);
    ::waitpid(child, nullptr, 0);
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
}

} // namespace
} // namespace sinew::system
