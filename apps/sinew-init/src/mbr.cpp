/// Implements the readers of mbr.hpp.
///
/// Invariant: nothing outside the span is read.
#include "mbr.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sinew::init {
namespace {

constexpr std::size_t signature_offset = 440;
constexpr std::size_t magic_offset = 510;
constexpr std::uint16_t magic = 0xAA55;
constexpr std::size_t signature_digits = 8;

} // namespace

Result<std::uint32_t> parse_disk_signature(BytesView first_sector) {
    if (first_sector.size() < mbr_bytes) {
        return failure(ErrorCode::corrupt, "the disk is shorter than one sector");
    }
    if (load_le16(first_sector, magic_offset) != magic) {
        return failure(ErrorCode::corrupt, "the first sector is no boot record");
    }
    return load_le32(first_sector, signature_offset);
}

Result<std::uint32_t> parse_signature_text(std::string_view text) {
    auto const digits = text.starts_with("0x") ? text.substr(2) : text;
    auto const value = parse_number<std::uint32_t>(digits, 16);
    if (!value || digits.size() != signature_digits) {
        return failure(ErrorCode::invalid_argument,
                       "disk_signature is '" + std::string(text) + "', expected eight hexadecimal digits");
    }
    return *value;
}

} // namespace sinew::init
