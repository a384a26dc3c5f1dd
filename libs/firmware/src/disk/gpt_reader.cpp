/// Reads one copy of a GPT.
#include "disk/gpt_reader.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sinew::firmware {

namespace {

constexpr std::uint32_t most_entries = 128;

std::uint32_t crc_of(BytesView bytes) {
    return static_cast<std::uint32_t>(
        crc32_z(0, reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size()));
}

} // namespace

Result<Gpt> read_gpt_at(BlockDevice& disk, std::uint64_t block) {
    auto const refuse = [&](std::string const& why) {
        return failure(ErrorCode::corrupt,
                       disk.name() + ": the GPT at block " + std::to_string(block) + " " + why);
    };
    std::array<std::byte, block_size_bytes> sector{};
    TRY_OK(disk.read_at(block * block_size_bytes, sector));
    auto const header_bytes = load_le32(sector, 12);
    if (as_text(BytesView(sector).first(8)) != "EFI PART" || header_bytes < 92 ||
        header_bytes > block_size_bytes) {
        return refuse("is missing");
    }
    auto const stored_crc = load_le32(sector, 16);
    store_le32(sector, 16, 0);
    if (crc_of(BytesView(sector).first(header_bytes)) != stored_crc || load_le64(sector, 24) != block) {
        return refuse("is damaged");
    }
    Gpt gpt;
    gpt.last_usable_block = load_le64(sector, 48);
    auto const entries_block = load_le64(sector, 72);
    auto const count = load_le32(sector, 80);
    gpt.entry_bytes = load_le32(sector, 84);
    constexpr std::uint64_t furthest_block = std::uint64_t{1} << 50;
    if (count < 1 || count > most_entries || gpt.entry_bytes < 128 || gpt.entry_bytes > 1024 ||
        gpt.entry_bytes % 128 != 0 || entries_block > furthest_block ||
        gpt.last_usable_block > furthest_block) {
        return refuse("has impossible numbers");
    }
    gpt.entries.resize(count * gpt.entry_bytes);
    TRY_OK(disk.read_at(entries_block * block_size_bytes, gpt.entries));
    if (crc_of(gpt.entries) != load_le32(sector, 88)) {
        return refuse("has damaged entries");
    }
    return gpt;
}

} // namespace sinew::firmware
