/// system.lock: what goes in comes out, what can't be a package is refused, changes are seen.
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/lock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sinew::system {
namespace {

using ::testing::HasSubstr;

LockedPackage package(std::string name, std::string version, char digit = 'a') {
    return {.name = std::move(name),
            .version = std::move(version),
            .architecture = "amd64",
            .sha256 = std::string(64, digit),
            .size_bytes = 10};
}

std::string message_of(Lock const& lock) {
    auto const result = parse_lock(format_lock(lock), "system.lock");
    return result ? "no error" : result.error().message();
}

TEST(Lock, a_lock_is_read_as_it_was_written_sorted_by_name) {
    Lock const lock{.release = "bookworm",
                    .packages = {package("zlib1g", "1:1.2.13.dfsg-1"), package("libc6", "2.36-9~deb12u1")}};
    auto const text = format_lock(lock);
    auto const read = parse_lock(text, "system.lock");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->packages.at(0), lock.packages.at(1));
    EXPECT_EQ(read->packages.at(1), lock.packages.at(0));
    EXPECT_EQ(format_lock(*read), text);
}

TEST(Lock, the_lock_of_x86_64_is_read_and_written_unchanged) {
    auto const text = read_text_file(std::string(SINEW_SYSTEMS) + "/x86_64/system.lock");
    ASSERT_TRUE(text);
    auto const lock = parse_lock(*text, "system.lock");
    ASSERT_TRUE(lock) << lock.error().message();
    EXPECT_NE(lock->find("libc6"), nullptr);
    EXPECT_EQ(lock->find("emacs"), nullptr);
    EXPECT_EQ(format_lock(*lock), *text);
}

TEST(Lock, what_cannot_be_a_package_is_refused) {
    EXPECT_THAT(message_of({.release = "b", .packages = {package("../evil", "1")}}), HasSubstr("../evil"));
    EXPECT_THAT(message_of({.release = "b", .packages = {package("--option", "1")}}), HasSubstr("--option"));
    EXPECT_THAT(message_of({.release = "b", .packages = {package("a", "1 2")}}), HasSubstr("version"));
    EXPECT_THAT(message_of({.release = "b", .packages = {package("a", "1", 'G')}}), HasSubstr("sha256"));
    EXPECT_THAT(message_of({.release = "b", .packages = {package("a", "1"), package("a", "2")}}),
                HasSubstr("twice"));
}

TEST(Lock, changes_are_new_gone_other_and_rebuilt_packages) {
    Lock const before{.release = "b",
                      .packages = {package("gone", "1"), package("other", "1"), package("rebuilt", "1"),
                                   package("same", "1")}};
    Lock const after{.release = "b",
                     .packages = {package("new", "1"), package("other", "2"), package("rebuilt", "1", 'b'),
                                  package("same", "1")}};
    auto const changes = compare_locks(before, after);
    ASSERT_EQ(changes.size(), 4u);
    auto const text = format_changes(changes);
    EXPECT_THAT(text, HasSubstr("gone  removed (was 1)"));
    EXPECT_THAT(text, HasSubstr("new  new: 1"));
    EXPECT_THAT(text, HasSubstr("other  1 -> 2"));
    EXPECT_THAT(text, HasSubstr("rebuilt  1 was rebuilt"));
    EXPECT_TRUE(compare_locks(before, before).empty());
}

} // namespace
} // namespace sinew::system
