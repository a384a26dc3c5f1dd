#include <sinew/tooling/ssh_key_line.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sinew::tooling {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Made by ssh-keygen(1) of OpenSSH 9.2.
constexpr char const* ed25519 =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC1Tgm7gjCJcbIJ2bfOJthdwrD0Pa3hN1jHDnNVIhfF7 me@laptop";
constexpr char const* ecdsa =
    "ecdsa-sha2-nistp256 "
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJMibUx6R0Qfb+yMDBEur4njFiIB0m05feGi"
    "BrOEvUQqhPChy+QXg75SWCAnHZL/9ywzSyyw/3DYTu5UJBNl5gE=";

std::string fault_of(std::string const& line) {
    auto const good = check_ssh_key_line(line);
    return good ? std::string() : good.error().message();
}

TEST(SshKeyLine, of_every_kind_that_dropbear_knows_is_good) {
    EXPECT_EQ(fault_of(ed25519), "");
    EXPECT_EQ(fault_of(ecdsa), "");
    EXPECT_EQ(fault_of("restrict,command=\"echo ssh-rsa a\" " + std::string(ed25519)), "");
}

TEST(SshKeyLine, that_lets_nobody_in_is_refused_with_the_reason) {
    std::string const whole = ed25519;
    EXPECT_THAT(fault_of(""), HasSubstr("is not an SSH public key"));
    EXPECT_THAT(fault_of("garbage"), HasSubstr("names none of the kinds"));
    EXPECT_THAT(fault_of("ssh-dss AAAAB3NzaC1kc3M="), HasSubstr("names none of the kinds"));
    EXPECT_THAT(fault_of("ssh-ed25519"), HasSubstr("nothing behind its kind"));
    EXPECT_THAT(fault_of("ssh-ed25519 AAAA me"), HasSubstr("damaged, or cut off"));
    EXPECT_THAT(fault_of(whole.substr(0, 60)), HasSubstr("damaged, or cut off"));
    EXPECT_THAT(fault_of("ssh-rsa" + whole.substr(11)), HasSubstr("holds another kind"));
    EXPECT_THAT(fault_of("-----BEGIN OPENSSH PRIVATE KEY-----"), HasSubstr("private key"));
}

TEST(SshKeyLine, files_may_hold_several_and_comments) {
    auto const lines = ssh_key_lines("# ours\r\n\n" + std::string(ed25519) + "\r\n" + ecdsa + "\n");
    ASSERT_TRUE(lines) << lines.error().message();
    EXPECT_THAT(*lines, ElementsAre(ed25519, ecdsa));
    EXPECT_THAT(ssh_key_lines("# nothing\n").error().message(), HasSubstr("no SSH public key"));
    EXPECT_FALSE(ssh_key_lines(std::string(ed25519) + "\nhello\n"));
}

} // namespace
} // namespace sinew::tooling
