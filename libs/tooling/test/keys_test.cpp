#include "tool_fixture.hpp"

#include <sinew/tooling/keys.hpp>

#include <gmock/gmock.h>
#include <sys/stat.h>

namespace sinew::tooling {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class KeysTest : public ToolFixture {
protected:
    [[nodiscard]] KeyStore store() { return KeyStore(folder() / "home"); }
};

TEST_F(KeysTest, are_made_for_their_owner_only) {
    auto const made = store().generate("production");
    ASSERT_TRUE(made.has_value()) << made.error().message();
    EXPECT_EQ(fs::status(made->path).permissions(), fs::perms(0600));
    EXPECT_EQ(fs::status(made->path.parent_path()).permissions(), fs::perms(0700));
    EXPECT_THAT(store().names(), ElementsAre("production"));
    EXPECT_EQ(*store().public_key("production"), made->key.public_key());
}

TEST_F(KeysTest, lie_in_folders_of_their_owner_whatever_the_umask_is) {
    mode_t const before = umask(0);
    auto const made = store().generate("production");
    umask(before);
    ASSERT_TRUE(made.has_value()) << made.error().message();
    EXPECT_EQ(fs::status(folder() / "home").permissions(), fs::perms(0700));
    EXPECT_EQ(fs::status(folder() / "home/keys").permissions(), fs::perms(0700));
}

TEST_F(KeysTest, are_never_overwritten) {
    auto const first = store().generate("production");
    auto const second = store().generate("production");
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code(), ErrorCode::exists);
    EXPECT_EQ(*store().public_key("production"), first->key.public_key());
}

TEST_F(KeysTest, can_not_be_called_like_a_path) {
    for (char const* name : {"", "../x", "a/b", ".hidden", "-x", "a b"}) {
        EXPECT_FALSE(store().generate(name).has_value()) << name;
    }
}

TEST_F(KeysTest, development_is_made_on_first_use_and_found_afterwards) {
    auto const first = store().signing_key("development", folder());
    ASSERT_TRUE(first.has_value()) << first.error().message();
    EXPECT_EQ(first->origin, KeyOrigin::made);
    auto const second = store().signing_key("development", folder());
    EXPECT_EQ(second->origin, KeyOrigin::found);
    EXPECT_EQ(first->key.public_key(), second->key.public_key());
}

TEST_F(KeysTest, of_another_name_must_exist) {
    auto const key = store().signing_key("production", folder());
    ASSERT_FALSE(key.has_value());
    EXPECT_THAT(key.error().message(), HasSubstr("sinew key generate production"));
}

TEST_F(KeysTest, can_be_files_of_the_project) {
    auto const pair = firmware::generate_keys();
    ASSERT_TRUE(firmware::save_keys(pair, folder() / "mine").has_value());
    auto const key = store().signing_key("mine.priv", folder());
    ASSERT_TRUE(key.has_value()) << key.error().message();
    EXPECT_EQ(key->key.public_key(), pair.public_key);
    EXPECT_EQ(*store().trusted_key("mine.pub", folder()), pair.public_key);
}

TEST_F(KeysTest, for_ssh_come_from_lines_and_files) {
    std::string const key =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC1Tgm7gjCJcbIJ2bfOJthdwrD0Pa3hN1jHDnNVIhfF7 ";
    write("laptop.pub", key + "me@laptop\n" + key + "me@desk\n");
    auto const lines = authorized_keys(store(), {key + "line", "laptop.pub"}, folder());
    ASSERT_TRUE(lines.has_value()) << lines.error().message();
    EXPECT_EQ(*lines, key + "line\n" + key + "me@laptop\n" + key + "me@desk\n");
}

TEST_F(KeysTest, for_ssh_are_offered_by_the_files_that_hold_them) {
    std::string const key =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC1Tgm7gjCJcbIJ2bfOJthdwrD0Pa3hN1jHDnNVIhfF7";
    write("laptop.pub", key + " me@laptop\n");
    write("laptop", "private\n");
    write("card.pub", key + " me@card\n");
    auto const files =
        identities({"development", "laptop.pub", "card.pub", key + " a line"}, folder(), folder());
    ASSERT_EQ(files.size(), 3u);
    EXPECT_EQ(files[0], folder() / "laptop");
    EXPECT_EQ(files[1], folder() / "card.pub");
    EXPECT_EQ(*read_text_file(files[2]), key + " a line\n");
}

TEST_F(KeysTest, for_ssh_must_be_public_ones) {
    write("id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    EXPECT_THAT(authorized_keys(store(), {"id_ed25519"}, folder()).error().message(),
                HasSubstr("is a private key"));
    EXPECT_THAT(
        authorized_keys(store(), {"ssh-rsa AAAAnonsense me"}, folder()).error().message(),
        HasSubstr("sinew.toml: ssh.authorized_keys: 'ssh-rsa AAAAnonsense me' is not an SSH public key"));
    write("empty.pub", "");
    EXPECT_THAT(authorized_keys(store(), {"empty.pub"}, folder()).error().message(),
                HasSubstr("no SSH public key"));
    EXPECT_FALSE(authorized_keys(store(), {"missing.pub"}, folder()).has_value());
}

} // namespace
} // namespace sinew::tooling
