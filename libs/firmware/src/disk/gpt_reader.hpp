/// Reads one of the two copies of a GUID partition table (UEFI 2.10, section 5.3).
///
/// Invariant: what is returned has right checksums. Threading: a free function.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstddef>
#include <cstdint>

namespace sinew::firmware {

struct Gpt {
    std::uint64_t last_usable_block = 0;
    /// Of one entry.
    std::size_t entry_bytes = 0;
    Bytes entries;
};

/// The copy whose header is at `block`. Errors: corrupt: there is none, or it is damaged; io.
[[nodiscard]] Result<Gpt> read_gpt_at(BlockDevice& disk, std::uint64_t block);

} // namespace sinew::firmware
