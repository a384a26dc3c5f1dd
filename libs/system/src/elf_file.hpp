/// Reads what the assembly needs of an ELF file: for which machine it is, which libraries it needs, a
/// module's own notes.
///
/// Invariant: no byte outside the given view is read, and the work is bounded by its size, whatever the bytes
/// say.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::system {

enum class ElfClass : std::uint8_t { bits32 = 1, bits64 = 2 };
enum class ElfType : std::uint8_t { other = 0, relocatable = 1, executable = 2, shared = 3 };

struct ElfFile {
    ElfClass elf_class = ElfClass::bits64;
    ElfType type = ElfType::executable;
    /// e_machine, e.g. 62 for x86-64.
    std::uint16_t machine = 0;
    /// The dynamic linker; empty: linked statically, or a library.
    std::string interpreter{};
    std::vector<std::string> needed{};
    /// DT_RUNPATH or else DT_RPATH, split at its colons; $ORIGIN is left as it is.
    std::vector<std::string> run_path{};
};

/// Whether `bytes` starts like an ELF file.
[[nodiscard]] bool is_elf(BytesView bytes) noexcept;

/// Errors: unsupported: big-endian, or neither 32 nor 64 bits; corrupt: a header points outside the file.
[[nodiscard]] Result<ElfFile> parse_elf(BytesView bytes);

/// The key=value notes of a kernel module (section .modinfo), in their order. Error corrupt.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> parse_module_notes(BytesView bytes);

/// "x86_64", "aarch64", ... for e_machine; "machine N" for others.
[[nodiscard]] std::string machine_name(std::uint16_t machine);
/// The inverse, from a GNU triplet; 0: unknown.
[[nodiscard]] std::uint16_t machine_of_triplet(std::string_view gnu_triplet);

} // namespace sinew::system
