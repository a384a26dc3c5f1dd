/// Reads the disk signature of a master boot record, by which a firmware knows its own disk.
///
/// Threading: pure functions.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sinew::init {

inline constexpr std::size_t mbr_bytes = 512;

/// The signature in the first sector of a disk. Error corrupt: too short, or no boot record (55 AA at its
/// end).
[[nodiscard]] Result<std::uint32_t> parse_disk_signature(BytesView first_sector);

/// Eight hexadecimal digits, as the configuration has them; "0x" in front is allowed. Error invalid_argument.
[[nodiscard]] Result<std::uint32_t> parse_signature_text(std::string_view text);

} // namespace sinew::init
