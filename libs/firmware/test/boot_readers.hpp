/// What bootloaders read, written anew for the tests: it shares no code with the library, so that a mistake
/// there can't hide itself.
///
/// Invariant: nothing is trusted that a bootloader wouldn't trust. Threading: free functions.
#pragma once

#include <sinew/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::firmware::test {

using Variables = std::map<std::string, std::string>;

[[nodiscard]] std::uint32_t plain_crc32(BytesView bytes);

/// The variables of a GRUB environment block, as GRUB's load_env takes them: up to the first line that isn't
/// whole. Nothing of a block that doesn't begin as one.
[[nodiscard]] Variables read_grub_block(BytesView block);

/// The variables of the newer whole one of two copies of a U-Boot environment.
[[nodiscard]] std::optional<Variables> read_uboot_environment(BytesView first, BytesView second);

/// A file in the root folder of a FAT12 or FAT16 file system; nothing if its chain is broken.
[[nodiscard]] std::optional<Bytes> read_fat_file(BytesView file_system, std::string_view name);

struct TableEntry {
    std::uint64_t first_block = 0;
    std::uint64_t end_block = 0;
    /// MBR: active; GPT: legacy bootable.
    bool bootable = false;
};

/// The first four primary entries of an MBR.
[[nodiscard]] std::optional<std::vector<TableEntry>> read_mbr_entries(BytesView disk);

/// The first four entries of the GPT; of the copy at the end of the disk if the one at its beginning isn't
/// whole.
[[nodiscard]] std::optional<std::vector<TableEntry>> read_gpt_entries(BytesView disk);

} // namespace sinew::firmware::test
