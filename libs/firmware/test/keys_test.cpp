/// Keys, with OpenSSL as the oracle.
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/keys.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>

namespace sinew::firmware::test {

namespace {

using ::testing::HasSubstr;

/// The DER that wraps a raw Ed25519 key (RFC 8410).
Bytes der(std::string_view prefix_hex, BytesView key) {
    auto bytes = must(from_hex(prefix_hex));
    bytes.insert(bytes.end(), key.begin(), key.end());
    return bytes;
}

TEST(Keys, openssl_accepts_our_signatures) {
    Workshop const workshop;
    auto const keys = generate_keys();
    workshop.write("message", "meta.conf's bytes");
    workshop.write("key.der", der("302a300506032b6570032100", keys.public_key.bytes));
    workshop.write("signature", BytesView(keys.private_key.sign(as_bytes("meta.conf's bytes"))));
    EXPECT_THAT(tool({"openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey",
                      workshop.text_path("key.der"), "-rawin", "-in", workshop.text_path("message"),
                      "-sigfile", workshop.text_path("signature")}),
                HasSubstr("Signature Verified Successfully"));
}

TEST(Keys, we_accept_the_signatures_of_openssl) {
    Workshop const workshop;
    auto const keys = generate_keys();
    workshop.write("message", "text");
    workshop.write("key.der",
                   der("302e020100300506032b657004220420", BytesView(keys.private_key.bytes).first(32)));
    tool({"openssl", "pkeyutl", "-sign", "-keyform", "DER", "-inkey", workshop.text_path("key.der"), "-rawin",
          "-in", workshop.text_path("message"), "-out", workshop.text_path("signature")});
    Signature signature{};
    std::ranges::copy(workshop.read("signature"), signature.begin());
    EXPECT_TRUE(keys.public_key.verifies(signature, as_bytes("text")));
    EXPECT_FALSE(keys.public_key.verifies(signature, as_bytes("texT")));
    EXPECT_FALSE(generate_keys().public_key.verifies(signature, as_bytes("text")));
}

TEST(Keys, files_hold_base64_for_the_owner_only) {
    Workshop const workshop;
    auto const keys = generate_keys();
    must(save_keys(keys, workshop.path("mine")));
    EXPECT_EQ(workshop.read("mine.pub").size(), 44u);
    EXPECT_EQ(workshop.read("mine.priv").size(), 88u);
    struct stat status{};
    ASSERT_EQ(::stat(workshop.path("mine.priv").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
    EXPECT_EQ(must(PublicKey::load(workshop.path("mine.pub"))), keys.public_key);
    EXPECT_EQ(must(PrivateKey::load(workshop.path("mine.priv"))).public_key(), keys.public_key);
}

TEST(Keys, are_never_overwritten) {
    Workshop const workshop;
    workshop.write("mine.pub", "precious");
    EXPECT_THAT(message_of(save_keys(generate_keys(), workshop.path("mine"))),
                HasSubstr("never overwritten"));
    EXPECT_EQ(as_text(workshop.read("mine.pub")), "precious");
    EXPECT_FALSE(std::filesystem::exists(workshop.path("mine.priv")));
}

TEST(Keys, raw_bytes_and_trailing_white_space_are_accepted) {
    auto const keys = generate_keys();
    EXPECT_EQ(must(PublicKey::parse(keys.public_key.bytes)), keys.public_key);
    EXPECT_EQ(must(PublicKey::parse(as_bytes(keys.public_key.base64() + "\n \r\n"))), keys.public_key);
    EXPECT_EQ(must(PrivateKey::parse(keys.private_key.bytes)).bytes, keys.private_key.bytes);
}

TEST(Keys, anything_else_is_refused) {
    EXPECT_FALSE(PublicKey::parse(as_bytes("")));
    EXPECT_FALSE(PublicKey::parse(as_bytes(std::string(44, '!'))));
    EXPECT_FALSE(PublicKey::parse(as_bytes(std::string(31, 'x'))));
    auto broken = generate_keys().private_key;
    broken.bytes[40] ^= std::byte{1};
    EXPECT_THAT(message_of(PrivateKey::parse(broken.bytes)), HasSubstr("damaged"));
}

} // namespace

} // namespace sinew::firmware::test
