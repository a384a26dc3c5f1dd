/// Prefix codes as deflate has them (RFC 1951, 3.2.2).
///
/// Threading: free functions.
#pragma once

#include <cstdint>
#include <span>

namespace sinew::firmware {

/// How many bits the code of each symbol gets, at most `most` (15 or less): few for those that come often.
/// A symbol that doesn't come gets none, but at least two symbols get a code, so that it is always complete.
/// `lengths` has as many places as `counts`, at least 2 and at most 288.
void find_code_lengths(std::span<std::uint32_t const> counts, unsigned most, std::span<std::uint8_t> lengths);

/// The codes that belong to `lengths`, with the bit to be written first as the lowest.
void assign_codes(std::span<std::uint8_t const> lengths, std::span<std::uint16_t> codes);

} // namespace sinew::firmware
