/// How apt is driven, with a fake in its place. That it works with the real one is shown in test/system.
#include "apt.hpp"
#include "support.hpp"

#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/lock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <deque>
#include <string>
#include <vector>

namespace sinew::system {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Apt : public ::testing::Test {
protected:
    Description m_description = description_of(x86_64_text());
    TemporaryDirectory m_folder = *TemporaryDirectory::create();
    std::deque<CommandResult> m_answers;
    std::vector<std::vector<std::string>> m_calls;
    std::vector<std::chrono::milliseconds> m_waits;
    std::vector<std::string> m_notices;

    AptRoot make(std::string host_settings = "") {
        m_answers.push_front({.status = 0, .output = std::move(host_settings), .error_output = ""});
        auto root = AptRoot::create(
            m_description, {.folder = m_folder.path(),
                            .mirrors = {"http://mirror/debian"},
                            .wait = [this](auto pause) { m_waits.push_back(pause); },
                            .on_notice = [this](std::string const& text) { m_notices.push_back(text); },
                            .run = [this](auto const& arguments, auto const&) { return answer(arguments); }});
        return *std::move(root);
    }
    Result<CommandResult> answer(std::vector<std::string> const& arguments) {
        m_calls.push_back(arguments);
        if (m_answers.empty()) {
            return failure(ErrorCode::internal, "the test expects no more calls");
        }
        auto next = std::move(m_answers.front());
        m_answers.pop_front();
        return next;
    }
    void will_say(int status, std::string output, std::string error_output = "") {
        m_answers.push_back(
            {.status = status, .output = std::move(output), .error_output = std::move(error_output)});
    }
};

std::string const zlib_line =
    "'http://mirror/pool/zlib1g.deb' zlib1g_1%3a1.2.13.dfsg-1_amd64.deb 86684 SHA256:" + std::string(64, 'd');

LockedPackage zlib() {
    return {.name = "zlib1g",
            .version = "1:1.2.13.dfsg-1",
            .architecture = "amd64",
            .sha256 = std::string(64, 'd'),
            .size_bytes = 86684};
}

TEST_F(Apt, a_line_of_print_uris_becomes_a_package) {
    auto const package = parse_uri_line(zlib_line);
    ASSERT_TRUE(package) << package.error().message();
    EXPECT_EQ(*package, zlib());
}

TEST_F(Apt, a_line_without_a_sha256_is_refused) {
    EXPECT_FALSE(parse_uri_line("'http://m/z.deb' zlib1g_1_amd64.deb 86684 MD5Sum:00"));
    EXPECT_FALSE(parse_uri_line("'http://m/z.deb' zlib1g_1_amd64.deb 8x SHA256:00"));
    EXPECT_FALSE(parse_uri_line("W: something else"));
}

TEST_F(Apt, the_host_s_sources_are_taken_if_they_are_debian_s_and_of_the_release) {
    auto const sources = host_sources("http://one/debian/|bookworm|main|Debian\n"
                                      "http://one/debian-security/|bookworm-security|main|Debian\n"
                                      "http://one/debian/|bookworm|contrib|Debian\n"
                                      "http://one/debian/|trixie|main|Debian\n"
                                      "http://other/|bookworm|main|Somebody\n"
                                      "http://fresh/|bookworm|main|$(ORIGIN)\n",
                                      "bookworm");
    EXPECT_EQ(sources.size(), 3u);
    EXPECT_THAT(sources, Contains(HasSubstr("http://one/debian-security/ bookworm-security main")));
    EXPECT_THAT(sources, Contains(HasSubstr("http://fresh/ bookworm main")));
    for (auto const& source : sources) {
        EXPECT_THAT(source, HasSubstr("[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"));
    }
}

TEST_F(Apt, the_configuration_keeps_signatures_on_and_stays_in_its_folder) {
    auto const root = make();
    auto const text = read_text_file(m_folder.path() / "apt.conf");
    ASSERT_TRUE(text);
    EXPECT_THAT(*text, HasSubstr("APT::Get::AllowUnauthenticated \"0\""));
    EXPECT_THAT(*text, HasSubstr("Acquire::AllowInsecureRepositories \"0\""));
    EXPECT_THAT(*text, HasSubstr("Dir::State::status \"" + m_folder.path().string() + "/status\""));
    auto const sources = read_text_file(m_folder.path() / "sources.list");
    ASSERT_TRUE(sources);
    EXPECT_THAT(*sources, HasSubstr("http://mirror/debian bookworm main"));
}

TEST_F(Apt, of_the_host_s_settings_only_the_way_to_an_archive_counts) {
    auto const root =
        make("Acquire::http::Proxy \"http://proxy:3128\";\nAcquire::Check-Valid-Until \"false\";\n"
             "Acquire::AllowInsecureRepositories \"true\";\nAPT::Default-Release \"sid\";\n"
             "Acquire::http::Proxy::evil \"x\"; DPkg::Pre-Invoke {\"rm\";};\n");
    auto const text = read_text_file(m_folder.path() / "apt.conf").value();
    EXPECT_THAT(text, HasSubstr("Acquire::http::Proxy \"http://proxy:3128\";"));
    EXPECT_THAT(text, HasSubstr("Acquire::Check-Valid-Until \"1\";"));
    EXPECT_THAT(text, HasSubstr("Dir::Etc::parts \"/dev/null\";"));
    for (auto const* leaked : {"false", "true", "sid", "evil", "Pre-Invoke {"}) {
        EXPECT_THAT(text, ::testing::Not(HasSubstr(leaked)));
    }
}

TEST_F(Apt, only_a_snapshot_may_be_old) {
    EXPECT_THAT(
        mirror_sources({"http://snapshot.debian.org/archive/debian/20250520T000000Z"}, "bookworm").front(),
        HasSubstr("check-valid-until=no"));
    EXPECT_THAT(mirror_sources({"http://deb.debian.org/debian"}, "bookworm").front(),
                ::testing::Not(HasSubstr("check-valid-until")));
}

TEST_F(Apt, versions_that_go_back_are_found) {
    auto const root = make();
    will_say(1, "");
    will_say(0, "");
    auto const older = root.find_older({{.name = "new", .old_version = "", .new_version = "1"},
                                        {.name = "busybox", .old_version = "1", .new_version = "2"},
                                        {.name = "zlib1g", .old_version = "2", .new_version = "1"}});
    ASSERT_TRUE(older);
    ASSERT_EQ(older->size(), 1u);
    EXPECT_EQ(older->front().name, "zlib1g");
    EXPECT_THAT(m_calls.back(), ElementsAre("dpkg", "--compare-versions", "1", "lt", "2"));
}

TEST_F(Apt, an_inconsistent_archive_is_tried_again_with_growing_pauses) {
    auto root = make();
    will_say(100, "", "E: Failed to fetch http://mirror/x  Hash Sum mismatch\n");
    will_say(100, "", "E: Failed to fetch http://mirror/x  Hash Sum mismatch\n");
    will_say(0, "");
    EXPECT_TRUE(root.update());
    EXPECT_THAT(m_waits, ElementsAre(2s, 5s));
    EXPECT_THAT(m_notices, Contains(HasSubstr("Hash Sum mismatch")));
}

TEST_F(Apt, an_archive_that_stays_inconsistent_is_named) {
    auto root = make();
    for (int i = 0; i < 5; ++i) {
        will_say(100, "", "E: Failed to fetch http://mirror/x  Hash Sum mismatch\n");
    }
    auto const result = root.update();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::corrupt);
    EXPECT_THAT(result.error().message(), HasSubstr("after 5 attempts"));
    EXPECT_THAT(result.error().message(), HasSubstr("http://mirror/x"));
    EXPECT_EQ(m_waits.size(), 4u);
}

TEST_F(Apt, a_missing_signature_is_not_tried_again) {
    auto root = make();
    will_say(100, "", "E: The repository 'http://mirror bookworm InRelease' is not signed.\n");
    EXPECT_FALSE(root.update());
    EXPECT_THAT(m_waits, IsEmpty());
}

TEST_F(Apt, resolving_asks_for_all_packages_of_the_description_and_sorts_the_answer) {
    auto root = make();
    will_say(0, zlib_line + "\n'http://m/b.deb' busybox_1_amd64.deb 5 SHA256:" + std::string(64, 'b') + "\n");
    auto const lock = root.resolve();
    ASSERT_TRUE(lock) << lock.error().message();
    ASSERT_EQ(lock->packages.size(), 2u);
    EXPECT_EQ(lock->packages.front().name, "busybox");
    EXPECT_THAT(m_calls.back(), Contains("linux-image-amd64"));
    EXPECT_THAT(m_calls.back(), Contains("busybox"));
    EXPECT_THAT(m_calls.back(), Contains("libc6-dev"));
}

TEST_F(Apt, packages_that_are_offered_with_their_hash_have_not_vanished) {
    auto root = make();
    will_say(0, zlib_line + "\n");
    auto const vanished = root.find_vanished(std::array{zlib()});
    ASSERT_TRUE(vanished);
    EXPECT_THAT(*vanished, IsEmpty());
}

TEST_F(Apt, a_version_that_is_gone_and_a_hash_that_changed_have_vanished) {
    auto root = make();
    auto busybox = zlib();
    busybox.name = "busybox";
    will_say(100, "", "E: Version '1' for 'busybox' was not found\n"); // both at once
    will_say(0, zlib_line + "\n");
    will_say(100, "", "E: Version '1' for 'busybox' was not found\n");
    auto const vanished = root.find_vanished(std::array{zlib(), busybox});
    ASSERT_TRUE(vanished);
    ASSERT_EQ(vanished->size(), 1u);
    EXPECT_EQ(vanished->front().name, "busybox");

    auto rebuilt = zlib();
    rebuilt.sha256 = std::string(64, 'e');
    will_say(0, zlib_line + "\n");
    auto const changed = root.find_vanished(std::array{rebuilt});
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->size(), 1u);
}

} // namespace
} // namespace sinew::system
