/// The content of files. Consecutive clusters are written together, so that a cache can pass whole segments
/// on.
#include "fat/directory.hpp"
#include "fat/volume.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::size_t largest_run = 64u << 10;

} // namespace

Result<> FatFileWriter::flush() {
    if (m_pending.empty()) {
        return {};
    }
    auto const padded = (m_pending.size() + block_size_bytes - 1) / block_size_bytes * block_size_bytes;
    m_pending.resize(padded);
    TRY_OK(m_context->disk->write_at((m_context->first_block + m_run_start) * block_size_bytes, m_pending));
    m_run_start += m_pending.size() / block_size_bytes;
    m_pending.clear();
    return {};
}

Result<> FatFileWriter::write(BytesView bytes) {
    if (bytes.size() > std::numeric_limits<std::uint32_t>::max() - m_size) {
        return failure(ErrorCode::no_space, "a file on a FAT file system must be smaller than 4 GiB");
    }
    m_size += bytes.size();
    auto const& layout = m_context->layout;
    auto const cluster_bytes = std::uint64_t{layout.sectors_per_cluster} * block_size_bytes;
    while (!bytes.empty()) {
        if (m_room == 0) {
            TRY(auto const cluster, m_context->table.allocate(m_last_cluster));
            bool const continues = m_last_cluster && cluster == *m_last_cluster + 1;
            if (!continues || m_pending.size() + cluster_bytes > largest_run) {
                TRY_OK(flush());
            }
            if (!continues) {
                m_run_start = layout.cluster_start(cluster);
            }
            if (!m_last_cluster) {
                m_entry.first_cluster = cluster;
            }
            m_last_cluster = cluster;
            m_room = cluster_bytes;
        }
        auto const count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), m_room));
        m_pending.insert(m_pending.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
        bytes = bytes.subspan(count);
        m_room -= count;
    }
    return {};
}

Result<> FatFileWriter::finish() {
    TRY_OK(flush());
    m_entry.size_bytes = static_cast<std::uint32_t>(m_size);
    TRY_OK(m_directory.update(m_entry));
    return m_context->table.flush();
}

Result<std::size_t> FatFileReader::read(MutableBytesView into) {
    if (m_left == 0 || into.empty()) {
        return std::size_t{0};
    }
    auto const& layout = m_context->layout;
    auto const cluster_bytes = layout.sectors_per_cluster * static_cast<std::uint32_t>(block_size_bytes);
    if (m_at_in_cluster == cluster_bytes) {
        TRY(auto const next, m_context->table.next(m_cluster));
        if (!next) {
            return failure(ErrorCode::corrupt, "the FAT file system is damaged: a file ends before its size");
        }
        m_cluster = *next;
        m_at_in_cluster = 0;
    }
    if (m_cluster < 2) {
        return failure(ErrorCode::corrupt,
                       "the FAT file system is damaged: a file has a size, but no content");
    }
    auto const count =
        std::min({into.size(), std::size_t{m_left}, std::size_t{cluster_bytes - m_at_in_cluster}});
    auto const at =
        (m_context->first_block + layout.cluster_start(m_cluster)) * block_size_bytes + m_at_in_cluster;
    TRY_OK(m_context->disk->read_at(at, into.first(count)));
    m_at_in_cluster += static_cast<std::uint32_t>(count);
    m_left -= static_cast<std::uint32_t>(count);
    return count;
}

Result<std::vector<DiskExtent>> FatVolume::extents_of(std::string_view path) {
    TRY(auto const place, locate(path));
    if (!place.entry || place.entry->is_directory()) {
        return failure(ErrorCode::not_found, "'" + std::string(path) + "' doesn't exist, or is a directory");
    }
    auto const& layout = m_context->layout;
    auto const cluster_bytes = std::uint64_t{layout.sectors_per_cluster} * block_size_bytes;
    std::vector<DiskExtent> extents;
    auto cluster = std::optional(place.entry->first_cluster);
    // Never more clusters than the size asks for, so a chain in circles ends too.
    for (std::uint64_t left = place.entry->size_bytes; left > 0;) {
        if (!cluster || *cluster < 2) {
            return failure(ErrorCode::corrupt, "the FAT file system is damaged: a file ends before its size");
        }
        auto const offset = (m_context->first_block + layout.cluster_start(*cluster)) * block_size_bytes;
        auto const length = std::min(left, cluster_bytes);
        if (!extents.empty() && extents.back().offset + extents.back().length == offset) {
            extents.back().length += length;
        } else {
            extents.push_back({offset, length});
        }
        left -= length;
        if (left > 0) {
            TRY(cluster, m_context->table.next(*cluster));
        }
    }
    return extents;
}

} // namespace sinew::firmware
