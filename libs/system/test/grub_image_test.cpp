/// The fields that are changed in GRUB's images.
#include "grub_image.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <gtest/gtest.h>

#include <cstddef>

namespace sinew::system {
namespace {

Bytes boot_sector() {
    Bytes sector(512, std::byte{0x11});
    store_le16(sector, 510, 0xaa55);
    return sector;
}

/// A core image of `sectors` sectors whose block list says `listed` follow the first.
Bytes core_image(std::size_t sectors, std::uint16_t listed) {
    Bytes image(sectors * 512 - 100);
    store_le16(image, 512 - 4, listed);
    return image;
}

TEST(GrubImage, the_boot_code_loads_the_core_image_from_where_it_lies) {
    auto const code = make_boot_code(boot_sector(), 17);
    ASSERT_TRUE(code) << code.error().message();
    EXPECT_EQ(code->size(), boot_code_bytes);
    EXPECT_EQ(load_le64(*code, 0x5c), 17u);
    EXPECT_EQ(load_le16(*code, 0x66), 0x9090);
    EXPECT_EQ((*code)[0x5b], std::byte{0x11});
    EXPECT_EQ((*code)[0x68], std::byte{0x11});
}

TEST(GrubImage, what_is_no_boot_sector_is_refused) {
    EXPECT_FALSE(make_boot_code(Bytes(512), 1));
    EXPECT_FALSE(make_boot_code(Bytes(100), 1));
}

TEST(GrubImage, the_core_image_is_padded_and_finds_the_rest_of_itself) {
    auto image = core_image(4, 3);
    ASSERT_TRUE(patch_core_image(image, 17));
    EXPECT_EQ(image.size(), 4u * 512);
    EXPECT_EQ(load_le64(image, 512 - 12), 18u);
}

TEST(GrubImage, a_block_list_of_another_length_is_refused) {
    auto image = core_image(4, 9);
    EXPECT_FALSE(patch_core_image(image, 1));
}

} // namespace
} // namespace sinew::system
