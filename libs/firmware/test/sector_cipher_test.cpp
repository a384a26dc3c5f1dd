/// Disk encryption: the vectors of IEEE 1619 for XTS; test/spec compares both modes with openssl.
#include "disk/aes256.hpp"
#include "disk/sector_cipher.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sinew::firmware::test {

namespace {

using ::testing::HasSubstr;

/// IEEE Std 1619-2007, vector 10: AES-256, data unit 0xff, 512 bytes 00 01 02 ... twice over.
constexpr std::string_view key_10 = "2718281828459045235360287471352662497757247093699959574966967627"
                                    "3141592653589793238462643383279502884197169399375105820974944592";

Bytes counting() {
    Bytes bytes(512);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(i & 0xFF);
    }
    return bytes;
}

SectorCipher xts() {
    std::vector<std::string> const options{"cipher=aes-xts-plain64", "secret=" + std::string(key_10)};
    return must(SectorCipher::create(options));
}

TEST(Aes256, agrees_with_fips_197) {
    Bytes key(Aes256::key_bytes);
    for (std::size_t i = 0; i < key.size(); ++i) {
        key[i] = static_cast<std::byte>(i);
    }
    Aes256 const cipher(BytesView(key).first<Aes256::key_bytes>());
    auto block = must(from_hex("00112233445566778899aabbccddeeff"));
    auto const view = MutableBytesView(block).first<Aes256::block_bytes>();
    cipher.encrypt(view);
    EXPECT_EQ(to_hex(block), "8ea2b7ca516745bfeafc49904b496089");
    cipher.decrypt(view);
    EXPECT_EQ(to_hex(block), "00112233445566778899aabbccddeeff");
}

TEST(SectorCipher, xts_agrees_with_the_standards_vector) {
    auto sector = counting();
    xts().encrypt(0xFF, sector);
    EXPECT_EQ(to_hex(BytesView(sector).first(32)),
              "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b");
    EXPECT_EQ(to_hex(BytesView(sector).last(16)), "c4f36ffda9fcea70b9c6e693e148c151");
}

TEST(SectorCipher, decryption_undoes_encryption) {
    for (std::string const& cipher : {"cipher=aes-xts-plain64,secret=" + std::string(key_10),
                                      "cipher=aes-cbc-plain,secret=" + std::string(key_10.substr(0, 64))}) {
        auto encryption = must(SectorCipher::create(std::vector{cipher}));
        auto const plain = noise(2048, 1);
        auto sectors = plain;
        encryption.encrypt(7, sectors);
        EXPECT_NE(sectors, plain);
        // A part of it, from the middle: only the number of the sector matters.
        encryption.decrypt(8, MutableBytesView(sectors).subspan(512, 512));
        EXPECT_EQ(to_hex(BytesView(sectors).subspan(512, 512)), to_hex(BytesView(plain).subspan(512, 512)));
        encryption.decrypt(7, MutableBytesView(sectors).first(512));
        encryption.decrypt(9, MutableBytesView(sectors).subspan(1024));
        EXPECT_EQ(sectors, plain);
    }
}

TEST(SectorCipher, wrong_options_are_refused_without_showing_the_key) {
    auto const error =
        message_of(SectorCipher::create(std::vector<std::string>{"cipher=aes-cbc-plain,secret=topsecret"}));
    EXPECT_THAT(error, HasSubstr("secret must be 32 bytes for aes-cbc-plain"));
    EXPECT_THAT(error, ::testing::Not(HasSubstr("topsecret")));
    EXPECT_THAT(message_of(SectorCipher::create(std::vector<std::string>{"secret=00"})),
                HasSubstr("unknown cipher ''"));
}

} // namespace

} // namespace sinew::firmware::test
