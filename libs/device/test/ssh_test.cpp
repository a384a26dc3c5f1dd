/// Host keys: kept, repaired, or in memory.
#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/device/ssh.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace sinew::device {
namespace {

namespace fs = std::filesystem;

class HostKey : public ::testing::Test {
protected:
    HostKey() {
        // Plays dropbearkey: a key is good when its file says so.
        m_run = [this](std::vector<std::string> const& command) -> Result<> {
            auto const file = command.back();
            if (command.at(1) == "-y") {
                auto const text = read_text_file(file);
                return text && *text == "good" ? Result<>() : failure(ErrorCode::corrupt, "bad key");
            }
            ++m_made;
            return write_file_atomically(file, as_bytes("good"));
        };
    }
    Result<fs::path> prepare() { return prepare_host_key(m_places, m_run); }
    TemporaryDirectory m_folder = TemporaryDirectory::create().value();
    HostKeyPlaces m_places{.kept = m_folder.path() / "data/ssh", .in_memory = m_folder.path() / "run/ssh"};
    std::function<Result<>(std::vector<std::string> const&)> m_run;
    int m_made = 0;
};

TEST_F(HostKey, it_is_made_once_and_then_kept) {
    auto const first = prepare().value();
    EXPECT_EQ(first.parent_path(), m_places.kept);
    EXPECT_EQ(prepare().value(), first);
    EXPECT_EQ(m_made, 1);
    EXPECT_EQ(fs::status(m_places.kept).permissions(), fs::perms::owner_all);
}

TEST_F(HostKey, a_damaged_one_is_replaced) {
    auto const key = prepare().value();
    ASSERT_TRUE(write_file_atomically(key, as_bytes("torn")));
    EXPECT_EQ(prepare().value(), key);
    EXPECT_EQ(read_text_file(key).value(), "good");
}

TEST_F(HostKey, when_it_cannot_be_kept_it_lives_in_memory) {
    ASSERT_TRUE(write_file_atomically(m_folder.path() / "data", as_bytes("no folder")));
    EXPECT_EQ(prepare().value().parent_path(), m_places.in_memory);
}

TEST_F(HostKey, without_any_place_the_cause_comes_back) {
    m_run = [](auto const&) -> Result<> { return failure(ErrorCode::not_found, "dropbearkey is missing"); };
    auto const key = prepare();
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().message(), "dropbearkey is missing");
}

} // namespace
} // namespace sinew::device
