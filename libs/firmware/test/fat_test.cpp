/// FAT, with fsck.fat and mtools as oracles, on volumes of every type.
#include "fat/layout.hpp"
#include "fat/name.hpp"
#include "fat/volume.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/io.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sinew::firmware::test {

namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t first_block = 8;

void write_file(FatVolume& volume, std::string_view path, BytesView content) {
    auto file = must(volume.create_file(path));
    while (!content.empty()) { // in uneven pieces
        auto const piece = content.first(std::min<std::size_t>(content.size(), 1777));
        must(file.write(piece));
        content = content.subspan(piece.size());
    }
    must(file.finish());
}

Bytes read_file_of(FatVolume& volume, std::string_view path) {
    auto file = must(volume.open_file(path));
    Bytes content;
    std::array<std::byte, 700> buffer{};
    while (auto const count = must(file.read(buffer))) {
        content.insert(content.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
    }
    return content;
}

/// The volume as a file of its own, checked by fsck.fat.
std::string checked_image(Workshop const& workshop, MemoryDevice& disk, std::uint64_t sectors) {
    workshop.write("fat.img", bytes_at(disk, first_block, sectors * block_size_bytes));
    tool({"fsck.fat", "-n", workshop.text_path("fat.img")});
    return workshop.text_path("fat.img");
}

class FatOfEverySize : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(FatOfEverySize, is_clean_and_read_by_mtools) {
    Workshop const workshop;
    MemoryDevice disk;
    must(make_fat(disk, first_block, GetParam()));
    auto volume = must(FatVolume::mount(disk, first_block));
    must(volume.set_label("Boot-A"));
    auto const kernel = noise(9000, 5);
    write_file(volume, "vmlinuz", kernel);
    write_file(volume, "grub.cfg", as_bytes("linux /vmlinuz\n"));
    must(volume.make_directory("EFI"));
    must(volume.make_directory("EFI"));
    must(volume.make_directory("/EFI/BOOT"));
    write_file(volume, "EFI/BOOT/A rather long name, with Ünïcode.efi", as_bytes("x"));
    write_file(volume, "empty", {});
    auto const image = checked_image(workshop, disk, GetParam());
    auto const listing = tool({"mdir", "-i", image, "-/", "-b", "::"});
    EXPECT_THAT(listing, HasSubstr("::/EFI/BOOT/A rather long name, with"));
    EXPECT_THAT(tool({"mlabel", "-i", image, "-s", "::"}), HasSubstr("BOOT-A"));
    tool({"mcopy", "-n", "-i", image, "::vmlinuz", workshop.text_path("copy")});
    EXPECT_EQ(workshop.read("copy"), kernel);
    EXPECT_EQ(tool({"mtype", "-i", image, "::grub.cfg"}), "linux /vmlinuz\n");
}

// 64: the smallest; 4084..4085 clusters: the last FAT12, the first FAT16; 131000 FAT16; 70000 clusters:
// FAT32.
INSTANTIATE_TEST_SUITE_P(Fat, FatOfEverySize,
                         ::testing::Values(64, 4000, 4143, 4144, 4150, 4170, 16384, 66000, 72000));

TEST(Fat, the_type_is_beyond_doubt_at_every_size) {
    for (std::uint64_t sectors = 64; sectors < 70'000;
         sectors += sectors < 4200 || sectors > 65'500 ? 1 : 101) {
        auto const layout = must(plan_fat(sectors));
        ASSERT_LE(layout.total_sectors, sectors);
        ASSERT_EQ(layout.type == FatType::fat12, layout.cluster_count < 4085) << sectors;
        ASSERT_EQ(layout.type == FatType::fat32, layout.cluster_count >= 65525) << sectors;
        ASSERT_LT(sectors - layout.total_sectors, 520u) << sectors;
    }
}

TEST(Fat, a_file_written_again_is_truncated_first) {
    Workshop const workshop;
    MemoryDevice disk;
    must(make_fat(disk, first_block, 4000));
    auto volume = must(FatVolume::mount(disk, first_block));
    write_file(volume, "f", noise(100'000, 1));
    write_file(volume, "F", as_bytes("short"));
    EXPECT_EQ(as_text(read_file_of(volume, "f")), "short");
    EXPECT_THAT(tool({"fsck.fat", "-nv", checked_image(workshop, disk, 4000)}), HasSubstr("1 files, 1/"));
}

TEST(Fat, names_survive_the_way_to_mtools_and_back) {
    Workshop const workshop;
    MemoryDevice disk;
    must(make_fat(disk, first_block, 4000));
    auto volume = must(FatVolume::mount(disk, first_block));
    for (auto const* name :
         {"UPPER.TXT", "lower.txt", "Mixed.Case", "no_extension_but_long", "two.dots.here", ".hidden",
          "longname-1.bin", "longname-2.bin", "longname-3.bin", "a+b", "ÄÖÜ.txt", "thirteen.char"}) {
        write_file(volume, name, as_bytes(name));
    }
    auto const image = checked_image(workshop, disk, 4000);
    auto const listing = tool({"mdir", "-i", image, "-b", "::"});
    for (auto const* name :
         {"UPPER.TXT", "lower.txt", "Mixed.Case", "no_extension_but_long", "two.dots.here", ".hidden",
          "longname-1.bin", "longname-2.bin", "longname-3.bin", "a+b", "thirteen.char"}) {
        EXPECT_THAT(listing, HasSubstr("::/" + std::string(name) + "\n"));
        EXPECT_EQ(tool({"mtype", "-i", image, "::" + std::string(name)}), name);
    }
    // And what mtools writes, we read.
    workshop.write("in", "from mtools");
    tool({"mcopy", "-i", image, workshop.text_path("in"), "::Written By mtools.text"});
    auto const device = must(FileDevice::open(image, DeviceAccess::read_only));
    auto theirs = must(FatVolume::mount(*device, 0));
    EXPECT_EQ(as_text(read_file_of(theirs, "written by MTOOLS.text")), "from mtools");
}

TEST(Fat, copies_moves_and_removes) {
    Workshop const workshop;
    MemoryDevice disk;
    must(make_fat(disk, first_block, 4000));
    must(make_fat(disk, first_block + 4000, 2000));
    auto volume = must(FatVolume::mount(disk, first_block));
    auto other = must(FatVolume::mount(disk, first_block + 4000));
    write_file(volume, "a", noise(5000, 2));
    write_file(volume, "b", noise(3000, 3));
    must(volume.copy_from(volume, "a", "a copy of a"));
    must(volume.copy_from(volume, "a", "A"));
    must(other.copy_from(volume, "a", "over there"));
    EXPECT_EQ(read_file_of(volume, "a copy of a"), noise(5000, 2));
    EXPECT_EQ(read_file_of(other, "over there"), noise(5000, 2));
    EXPECT_THAT(message_of(volume.rename("a", "b", Existing::kept)), HasSubstr("is there already"));
    must(volume.rename("a", "b", Existing::replaced));
    EXPECT_EQ(read_file_of(volume, "b"), noise(5000, 2));
    EXPECT_FALSE(must(volume.exists("a")));
    must(volume.remove("a", Missing::accepted));
    EXPECT_THAT(message_of(volume.remove("a", Missing::refused)), HasSubstr("doesn't exist"));
    must(volume.make_directory("d"));
    write_file(volume, "d/f", as_bytes("x"));
    EXPECT_THAT(message_of(volume.remove("d", Missing::accepted)), HasSubstr("isn't empty"));
    must(volume.remove("d/f", Missing::refused));
    must(volume.remove("d", Missing::refused));
    must(volume.touch("touched"));
    must(volume.set_attributes("b", "RHS"));
    EXPECT_THAT(tool({"mattrib", "-i", checked_image(workshop, disk, 4000), "::b"}), HasSubstr("SHR"));
}

TEST(Fat, a_directory_grows_but_the_root_of_fat12_does_not) {
    Workshop const workshop;
    MemoryDevice disk;
    must(make_fat(disk, first_block, 4000));
    auto volume = must(FatVolume::mount(disk, first_block));
    must(volume.make_directory("D"));
    for (int i = 0; i < 100; ++i) {
        must(volume.touch("D/a name that takes several slots " + std::to_string(i)));
    }
    checked_image(workshop, disk, 4000);
    int made = 0;
    while (volume.touch("R" + std::to_string(made))) {
        ++made;
    }
    EXPECT_EQ(made, 511) << "512 entries, one of them the directory";
    checked_image(workshop, disk, 4000);
}

TEST(Fat, a_full_volume_says_so_and_stays_clean) {
    Workshop const workshop;
    MemoryDevice disk;
    must(make_fat(disk, first_block, 200));
    auto volume = must(FatVolume::mount(disk, first_block));
    auto file = must(volume.create_file("big"));
    auto const written = file.write(noise(200 * block_size_bytes, 1));
    EXPECT_EQ(written.error().code(), ErrorCode::no_space);
}

TEST(Fat, larger_clusters_made_by_others_are_handled) {
    Workshop const workshop;
    workshop.write("fat.img", Bytes(4u << 20));
    tool({"mkfs.fat", "-F", "12", "-s", "8", workshop.text_path("fat.img")});
    auto const device = must(FileDevice::open(workshop.path("fat.img"), DeviceAccess::read_write));
    auto volume = must(FatVolume::mount(*device, 0));
    write_file(volume, "file", noise(50'000, 9));
    must(volume.make_directory("dir"));
    write_file(volume, "dir/file", noise(4097, 8));
    tool({"fsck.fat", "-n", workshop.text_path("fat.img")});
    EXPECT_EQ(read_file_of(volume, "file"), noise(50'000, 9));
    EXPECT_EQ(read_file_of(volume, "dir/file"), noise(4097, 8));
}

TEST(Fat, impossible_names_are_refused) {
    for (auto const* name : {"", "a:b", "a*b", "ends.", "ends ", "\x01", "\xFF"}) {
        EXPECT_FALSE(long_name(name)) << name;
    }
    EXPECT_FALSE(long_name(std::string(256, 'x')));
    EXPECT_TRUE(long_name(std::string(255, 'x')));
    EXPECT_FALSE(volume_label("twelve chars"));
    EXPECT_FALSE(volume_label("a.b"));
    EXPECT_FALSE(split_path("/"));
}

TEST(Fat, what_is_no_file_system_is_not_mounted) {
    MemoryDevice disk;
    EXPECT_THAT(message_of(FatVolume::mount(disk, first_block)), HasSubstr("no FAT file system at block 8"));
    must(make_fat(disk, first_block, 4000));
    auto boot = bytes_at(disk, first_block, block_size_bytes);
    boot[13] = std::byte{3}; // sectors a cluster
    must(disk.write_at(first_block * block_size_bytes, boot));
    EXPECT_THAT(message_of(FatVolume::mount(disk, first_block)), HasSubstr("make no sense"));
}

} // namespace

} // namespace sinew::firmware::test
