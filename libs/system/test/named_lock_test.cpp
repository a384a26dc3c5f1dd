/// Locks that name their holder.
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/named_lock.hpp>

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace sinew::system {
namespace {

TEST(NamedLock, says_at_once_whom_it_waits_for) {
    auto const folder = *TemporaryDirectory::create();
    auto const path = folder.path() / "lock";
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    auto const child = ::fork();
    if (child == 0) { // holds the lock until it is killed
        auto const held = lock_by_name(path, [](std::string const&) {});
        (void)!::write(ends[1], held ? "+" : "-", 1);
        ::pause();
        ::_exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(ends[0], &byte, 1), 1);
    ASSERT_EQ(byte, '+');
    std::string holder;
    auto const lock = lock_by_name(path, [&](std::string const& name) {
        holder = name;
        ::kill(child, SIGKILL); // the lock must end with its holder
    });
    EXPECT_TRUE(lock);
    EXPECT_THAT(holder, testing::StartsWith("process " + std::to_string(child) + " ("));
    ::waitpid(child, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(NamedLock, is_silent_when_it_is_free_and_keeps_the_name_of_its_holder) {
    auto const folder = *TemporaryDirectory::create();
    auto const lock = lock_by_name(folder.path() / "lock", [](std::string const&) { FAIL(); });
    ASSERT_TRUE(lock);
    EXPECT_EQ(*read_text_file(folder.path() / "lock"), std::to_string(::getpid()) + "\n");
}

} // namespace
} // namespace sinew::system
