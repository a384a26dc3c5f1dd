/// Hexadecimal text and fixed-width integers.
#include <sinew/base/bytes.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sinew {
namespace {

TEST(Bytes, hex_is_lower_case_and_reads_upper_case) {
    EXPECT_EQ(to_hex(as_bytes("\x01\xab\xff")), "01abff");
    EXPECT_EQ(from_hex("01ABff").value(), to_bytes("\x01\xab\xff"));
    EXPECT_EQ(from_hex("").value(), Bytes());
}

TEST(Bytes, bad_hex_names_the_position) {
    EXPECT_EQ(from_hex("0").error().message(), "hexadecimal text has an odd number of digits");
    EXPECT_EQ(from_hex("00g0").error().message(), "not a hexadecimal digit at position 2");
    EXPECT_EQ(from_hex("0-").error().message(), "not a hexadecimal digit at position 1");
}

TEST(Bytes, integers_have_the_named_byte_order) {
    Bytes bytes(8);
    store_le32(bytes, 0, 0x04030201);
    store_be32(bytes, 4, 0x01020304);
    EXPECT_EQ(to_hex(bytes), "0102030401020304");
    EXPECT_EQ(load_le16(bytes, 1), 0x0302);
    EXPECT_EQ(load_be32(bytes, 4), 0x01020304u);
    EXPECT_EQ(load_le64(bytes, 0), 0x0403020104030201u);
}

RC_GTEST_PROP(Bytes, any_bytes_survive_hexadecimal, (std::vector<std::uint8_t> const& content)) {
    Bytes bytes;
    for (auto const byte : content) {
        bytes.push_back(static_cast<std::byte>(byte));
    }
    RC_ASSERT(from_hex(to_hex(bytes)).value() == bytes);
}

} // namespace
} // namespace sinew
