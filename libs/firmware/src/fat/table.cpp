/// One sector of the table is held at a time.
#include "fat/table.hpp"

#include "fat/layout.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sinew::firmware {

namespace {

constexpr std::uint32_t mask_32 = 0x0FFFFFFF;

std::uint32_t first_end_mark(FatType type) {
    switch (type) {
    case FatType::fat12:
        return 0xFF8;
    case FatType::fat16:
        return 0xFFF8;
    case FatType::fat32:
        break;
    }
    return 0x0FFFFFF8;
}

} // namespace

Result<> FatTable::write_back() {
    if (!m_dirty) {
        return {};
    }
    for (std::uint32_t copy = 0; copy < m_layout.fat_count; ++copy) {
        auto const block =
            m_first_block + m_layout.reserved_sectors + std::uint64_t{copy} * m_layout.fat_sectors;
        TRY_OK(m_disk->write_at((block + m_loaded) * block_size_bytes, m_sector));
    }
    m_dirty = false;
    return {};
}

Result<> FatTable::load(std::uint32_t sector) {
    if (sector == m_loaded) {
        return {};
    }
    TRY_OK(write_back());
    TRY_OK(
        m_disk->read_at((m_first_block + m_layout.reserved_sectors + sector) * block_size_bytes, m_sector));
    m_loaded = sector;
    return {};
}

Result<std::byte> FatTable::get_byte(std::uint32_t at) {
    TRY_OK(load(static_cast<std::uint32_t>(at / block_size_bytes)));
    return m_sector[at % block_size_bytes];
}

Result<> FatTable::set_byte(std::uint32_t at, std::byte value) {
    TRY_OK(load(static_cast<std::uint32_t>(at / block_size_bytes)));
    m_sector[at % block_size_bytes] = value;
    m_dirty = true;
    return {};
}

Result<std::uint32_t> FatTable::get(std::uint32_t cluster) {
    if (cluster < 2 || cluster > m_layout.last_cluster()) {
        return failure(ErrorCode::corrupt, "the FAT file system is damaged: a chain leads to cluster " +
                                               std::to_string(cluster) + ", which doesn't exist");
    }
    if (m_layout.type == FatType::fat12) {
        auto const at = cluster + cluster / 2; // an entry may straddle two sectors
        TRY(auto const low, get_byte(at));
        TRY(auto const high, get_byte(at + 1));
        auto const both = std::to_integer<std::uint32_t>(low) | std::to_integer<std::uint32_t>(high) << 8;
        return cluster % 2 == 0 ? both & 0xFFF : both >> 4;
    }
    auto const width = m_layout.type == FatType::fat16 ? 2u : 4u;
    auto const per_sector = static_cast<std::uint32_t>(block_size_bytes) / width;
    TRY_OK(load(cluster / per_sector));
    auto const at = std::size_t{cluster % per_sector} * width;
    return width == 2 ? load_le16(m_sector, at) : load_le32(m_sector, at) & mask_32;
}

Result<> FatTable::set(std::uint32_t cluster, std::uint32_t value) {
    if (m_layout.type == FatType::fat12) {
        auto const at = cluster + cluster / 2;
        TRY(auto const low, get_byte(at));
        TRY(auto const high, get_byte(at + 1));
        auto both = std::to_integer<std::uint32_t>(low) | std::to_integer<std::uint32_t>(high) << 8;
        both = cluster % 2 == 0 ? (both & 0xF000) | (value & 0xFFF) : (both & 0x000F) | (value & 0xFFF) << 4;
        TRY_OK(set_byte(at, static_cast<std::byte>(both)));
        return set_byte(at + 1, static_cast<std::byte>(both >> 8));
    }
    auto const width = m_layout.type == FatType::fat16 ? 2u : 4u;
    auto const per_sector = static_cast<std::uint32_t>(block_size_bytes) / width;
    TRY_OK(load(cluster / per_sector));
    auto const at = std::size_t{cluster % per_sector} * width;
    if (width == 2) {
        store_le16(m_sector, at, static_cast<std::uint16_t>(value));
    } else {
        store_le32(m_sector, at, (load_le32(m_sector, at) & ~mask_32) | (value & mask_32));
    }
    m_dirty = true;
    return {};
}

Result<std::optional<std::uint32_t>> FatTable::next(std::uint32_t cluster) {
    TRY(auto const value, get(cluster));
    if (value >= first_end_mark(m_layout.type)) {
        return std::nullopt;
    }
    if (value < 2 || value > m_layout.last_cluster()) {
        return failure(ErrorCode::corrupt, "the FAT file system is damaged: cluster " +
                                               std::to_string(cluster) + " leads to " +
                                               std::to_string(value) + ", which doesn't exist");
    }
    return value;
}

Result<std::uint32_t> FatTable::allocate(std::optional<std::uint32_t> previous) {
    auto const count = m_layout.cluster_count;
    for (std::uint32_t tried = 0; tried < count; ++tried) {
        auto const cluster = 2 + (m_search_from - 2 + tried) % count;
        TRY(auto const value, get(cluster));
        if (value != 0) {
            continue;
        }
        TRY_OK(set(cluster, end_of_chain));
        if (previous) {
            TRY_OK(set(*previous, cluster));
        }
        m_search_from = cluster == m_layout.last_cluster() ? 2 : cluster + 1;
        --m_free_change;
        return cluster;
    }
    return failure(ErrorCode::no_space, "the FAT file system at block " + std::to_string(m_first_block) +
                                            " is full; give it more blocks or put less in it");
}

Result<> FatTable::release(std::uint32_t cluster) {
    // A chain that is longer than the volume goes in circles; the zeros just written end it at the latest.
    std::optional<std::uint32_t> current = cluster;
    while (current) {
        TRY(auto const value, get(*current));
        TRY_OK(set(*current, 0));
        ++m_free_change;
        m_search_from = std::min(m_search_from, *current);
        if (value < 2 || value > m_layout.last_cluster()) {
            break;
        }
        current = value;
    }
    return {};
}

Result<> FatTable::flush() {
    TRY_OK(write_back());
    if (m_layout.info_sector == 0 || m_free_change == 0) {
        return {};
    }
    auto const at = (m_first_block + m_layout.info_sector) * block_size_bytes;
    std::array<std::byte, block_size_bytes> info{};
    TRY_OK(m_disk->read_at(at, info));
    auto const free = load_le32(info, 488);
    if (load_le32(info, 0) == 0x41615252 && free <= m_layout.cluster_count) {
        store_le32(info, 488, static_cast<std::uint32_t>(static_cast<std::int64_t>(free) + m_free_change));
        store_le32(info, 492, m_search_from);
        TRY_OK(m_disk->write_at(at, info));
    }
    m_free_change = 0;
    return {};
}

} // namespace sinew::firmware
