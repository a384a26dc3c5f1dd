#include "power_cut_disk.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <ranges>
#include <utility>
#include <vector>

namespace sinew::firmware::test {

Result<> PowerCutDisk::read_at(std::uint64_t offset, MutableBytesView into) {
    if (m_powerless) {
        return failure(ErrorCode::io, "no power");
    }
    auto const begin = static_cast<std::size_t>(std::min<std::uint64_t>(offset, m_current.size()));
    auto const count = std::min(into.size(), m_current.size() - begin);
    std::copy_n(m_current.begin() + static_cast<std::ptrdiff_t>(begin), count, into.begin());
    std::ranges::fill(into.subspan(count), std::byte{0}); // what is behind the end
    return {};
}

void PowerCutDisk::remember(std::uint64_t offset, BytesView bytes) {
    auto const there = BytesView(m_current).subspan(static_cast<std::size_t>(offset), bytes.size());
    m_unsynced.push_back({offset, Bytes(bytes.begin(), bytes.end()), Bytes(there.begin(), there.end())});
}

Result<> PowerCutDisk::write_at(std::uint64_t offset, BytesView bytes) {
    if (m_fault == Fault::io_error && m_write_count == m_cut_at) {
        ++m_write_count;
        return failure(ErrorCode::io, "the disk failed");
    }
    if (m_fault == Fault::disk_full && m_write_count >= m_cut_at) {
        return failure(ErrorCode::no_space, "the disk is full");
    }
    if (m_powerless || (m_fault == Fault::power_loss && m_write_count == m_cut_at)) {
        m_powerless = true;
        // The write that power went out in may have got through in part.
        if (m_write_count == m_cut_at) {
            remember(offset, bytes);
            ++m_write_count;
        }
        return failure(ErrorCode::io, "no power");
    }
    ++m_write_count;
    remember(offset, bytes);
    std::ranges::copy(bytes, m_current.begin() + static_cast<std::ptrdiff_t>(offset));
    m_batches.back().emplace_back(offset / block_size_bytes, (offset + bytes.size()) / block_size_bytes - 1);
    return {};
}

Result<> PowerCutDisk::sync() {
    if (m_powerless) {
        return failure(ErrorCode::io, "no power");
    }
    if (m_fault == Fault::sync_error && m_sync_count == m_cut_at) {
        ++m_sync_count;
        return failure(ErrorCode::io, "the disk could not write back");
    }
    ++m_sync_count;
    m_unsynced.clear();
    if (!m_batches.back().empty()) {
        m_batches.emplace_back();
    }
    return {};
}

Bytes PowerCutDisk::after_power_loss(std::uint32_t seed, Sectors sectors_are) const {
    auto medium = m_current;
    for (auto const& write : std::views::reverse(m_unsynced)) {
        std::ranges::copy(write.replaced, medium.begin() + static_cast<std::ptrdiff_t>(write.offset));
    }
    if (seed == 0) {
        return medium;
    }
    std::vector<std::pair<std::uint64_t, BytesView>> sectors;
    for (auto const& write : m_unsynced) {
        for (std::size_t at = 0; at < write.bytes.size(); at += block_size_bytes) {
            sectors.emplace_back(write.offset + at, BytesView(write.bytes).subspan(at, block_size_bytes));
        }
    }
    std::mt19937 random(seed);
    if (seed > 1) {
        std::ranges::shuffle(sectors, random);
        sectors.resize(random() % (sectors.size() + 1));
    }
    for (auto& [offset, bytes] : sectors) {
        if (sectors_are == Sectors::torn && random() % 4 == 0) {
            bytes = bytes.first(random() % bytes.size());
        }
        std::ranges::copy(bytes, medium.begin() + static_cast<std::ptrdiff_t>(offset));
    }
    return medium;
}

} // namespace sinew::firmware::test
