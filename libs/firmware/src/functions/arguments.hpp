/// The arguments of a function, once they are read: each as what it is.
///
/// Threading: values.
#pragma once

#include "disk/sector_cipher.hpp"

#include <sinew/base/result.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

namespace sinew::firmware {

/// A call as it is written: its name, then its arguments.
using Words = std::span<std::string const>;

/// raw_write(BLOCK[, OPTION]...)
struct RawWrite {
    std::uint64_t block = 0;
    std::optional<SectorCipher> cipher;
};

/// raw_memset(BLOCK, COUNT, BYTE)
struct Fill {
    std::uint64_t block = 0;
    std::uint64_t count = 0;
    std::uint8_t byte = 0;
};

/// (BLOCK, COUNT)
struct BlockRange {
    std::uint64_t block = 0;
    std::uint64_t count = 0;
};

/// What is done in the FAT file system at a block: (BLOCK, PATH), (BLOCK, PATH, TARGET) or
/// (BLOCK, PATH, BLOCK, TARGET).
struct FatEdit {
    std::uint64_t block = 0;
    /// For fat_setlabel(), the label.
    std::string path;
    /// Another path, or the letters of fat_attrib().
    std::string target;
    /// Where the file system of `target` begins, if it is another one.
    std::optional<std::uint64_t> target_block;
};

/// (ENVIRONMENT[, NAME[, VALUE]])
struct EnvironmentEdit {
    std::string environment;
    std::string name;
    std::string value;
};

/// (TEXT): a message, a path, a command, or the name of a section.
struct Text {
    std::string text;
};

using Arguments = std::variant<RawWrite, Fill, BlockRange, FatEdit, EnvironmentEdit, Text>;

/// Reads `words`, which were checked with Deferred::refused: see check_function().
/// Error invalid_argument: impossible options of raw_write().
template<typename T>
[[nodiscard]] Result<Arguments> read_arguments(Words words);

template<>
Result<Arguments> read_arguments<RawWrite>(Words words);
template<>
Result<Arguments> read_arguments<Fill>(Words words);
template<>
Result<Arguments> read_arguments<BlockRange>(Words words);
template<>
Result<Arguments> read_arguments<FatEdit>(Words words);
template<>
Result<Arguments> read_arguments<EnvironmentEdit>(Words words);
template<>
Result<Arguments> read_arguments<Text>(Words words);

} // namespace sinew::firmware
