/// The file allocation table of a mounted volume: chains of clusters, and finding free ones.
///
/// Invariant: both copies of the table get the same content; a cluster number that comes out of here is
/// inside the volume or an end mark. Threading: belongs to one thread.
#pragma once

#include "fat/layout.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

namespace sinew::firmware {

class FatTable {
public:
    FatTable(BlockDevice& disk, std::uint64_t first_block, FatLayout const& layout)
        : m_disk(&disk)
        , m_first_block(first_block)
        , m_layout(layout) {}

    /// The cluster after `cluster`, or nothing at the end of the chain. Error corrupt: it points outside the
    /// volume.
    [[nodiscard]] Result<std::optional<std::uint32_t>> next(std::uint32_t cluster);
    /// A free cluster, now the end of a chain; `previous`, if given, is linked to it. Error no_space.
    [[nodiscard]] Result<std::uint32_t> allocate(std::optional<std::uint32_t> previous);
    /// Frees the chain that begins at `cluster`.
    [[nodiscard]] Result<> release(std::uint32_t cluster);
    /// Writes what is still held back, FSINFO included.
    [[nodiscard]] Result<> flush();

private:
    static constexpr std::uint32_t end_of_chain = 0x0FFFFFFF;
    [[nodiscard]] Result<std::uint32_t> get(std::uint32_t cluster);
    [[nodiscard]] Result<> set(std::uint32_t cluster, std::uint32_t value);
    [[nodiscard]] Result<std::byte> get_byte(std::uint32_t at);
    [[nodiscard]] Result<> set_byte(std::uint32_t at, std::byte value);
    [[nodiscard]] Result<> load(std::uint32_t sector);
    [[nodiscard]] Result<> write_back();

    BlockDevice* m_disk;
    std::uint64_t m_first_block;
    FatLayout m_layout;
    std::array<std::byte, block_size_bytes> m_sector{};
    std::uint32_t m_loaded = std::numeric_limits<std::uint32_t>::max();
    bool m_dirty = false;
    std::uint32_t m_search_from = 2;
    /// How many more clusters are free than when it was mounted.
    std::int64_t m_free_change = 0;
};

} // namespace sinew::firmware
