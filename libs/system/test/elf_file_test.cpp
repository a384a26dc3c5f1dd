/// The ELF reader, on this very program, on objects of the compiler, and on damaged files.
#include "elf_file.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>

namespace sinew::system {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

/// The libraries that readelf says a file needs: the oracle.
std::vector<std::string> needed_by_readelf(std::string const& file) {
    std::vector<std::string> names;
    auto const output = run_checked({"readelf", "--dynamic", "--wide", file});
    std::string_view rest;
    if (output) {
        rest = *output;
    }
    constexpr std::string_view mark = "Shared library: [";
    for (auto at = rest.find(mark); at != std::string_view::npos; at = rest.find(mark)) {
        rest.remove_prefix(at + mark.size());
        names.emplace_back(rest.substr(0, rest.find(']')));
    }
    return names;
}

TEST(ElfFile, this_program_needs_what_readelf_says) {
    auto const program = std::filesystem::read_symlink("/proc/self/exe"); // for readelf it would be readelf
    auto const bytes = read_file(program, 1u << 30);
    ASSERT_TRUE(bytes);
    auto const elf = parse_elf(*bytes);
    ASSERT_TRUE(elf) << elf.error().message();
    EXPECT_EQ(elf->needed, needed_by_readelf(program.string()));
    EXPECT_THAT(elf->needed, Contains("libc.so.6"));
    EXPECT_THAT(elf->interpreter, HasSubstr("ld-linux"));
}

TEST(ElfFile, a_file_cut_anywhere_is_an_error_or_says_the_same_and_never_more) {
    auto const bytes = read_file("/bin/true");
    ASSERT_TRUE(bytes);
    auto const whole = parse_elf(*bytes);
    ASSERT_TRUE(whole) << whole.error().message();
    for (std::size_t length = 0; length < bytes->size(); length += 97) {
        auto const cut = parse_elf(BytesView(*bytes).first(length));
        if (cut) {
            EXPECT_EQ(cut->needed, whole->needed) << length;
        }
    }
    EXPECT_FALSE(parse_elf(BytesView(*bytes).first(200)));
}

TEST(ElfFile, a_text_is_no_elf_file) {
    EXPECT_FALSE(is_elf(as_bytes("#!/bin/sh")));
    EXPECT_FALSE(parse_elf(as_bytes("#!/bin/sh\nexit 0\n")));
}

TEST(ElfFile, a_big_endian_file_is_unsupported) {
    Bytes bytes(64);
    std::ranges::copy(as_bytes("\x7f"
                               "ELF\x02\x02"),
                      bytes.begin());
    auto const elf = parse_elf(bytes);
    ASSERT_FALSE(elf);
    EXPECT_EQ(elf.error().code(), ErrorCode::unsupported);
}

TEST(ElfFile, the_notes_of_a_module_are_read_from_its_section) {
    auto const folder = TemporaryDirectory::create();
    ASSERT_TRUE(folder);
    auto const source = folder->path() / "module.c";
    auto const object = folder->path() / "module.o";
    ASSERT_TRUE(write_file_atomically(
        source,
        as_bytes("char const a[] __attribute__((section(\".modinfo\"), used)) = \"name=demo\";\n"
                 "char const b[] __attribute__((section(\".modinfo\"), used)) = \"depends=one,two\";\n")));
    ASSERT_TRUE(run_checked({"gcc", "-c", source.string(), "-o", object.string()}));
    auto const bytes = read_file(object);
    ASSERT_TRUE(bytes);
    auto const notes = parse_module_notes(*bytes);
    ASSERT_TRUE(notes) << notes.error().message();
    EXPECT_THAT(*notes, Contains(std::pair<std::string, std::string>("name", "demo")));
    EXPECT_THAT(*notes, Contains(std::pair<std::string, std::string>("depends", "one,two")));
}

TEST(ElfFile, machines_are_known_by_their_triplet) {
    EXPECT_EQ(machine_name(machine_of_triplet("x86_64-linux-gnu")), "x86_64");
    EXPECT_EQ(machine_name(machine_of_triplet("aarch64-linux-gnu")), "aarch64");
    EXPECT_EQ(machine_of_triplet("vax-dec-ultrix"), 0);
}

} // namespace
} // namespace sinew::system
