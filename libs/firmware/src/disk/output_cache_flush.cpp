/// What the cache writes, in which order.
#include "disk/output_cache.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

namespace sinew::firmware {

bool OutputCache::is_held(Segment const& segment, std::size_t sector) const {
    return m_held_blocks.contains(segment.index * sectors_per_segment + sector);
}

OutputCache::Waiting OutputCache::waiting(Segment const& segment, std::uint32_t batch) const {
    auto found = Waiting::nothing;
    for (std::size_t i = 0; segment.dirty.any() && i < sectors_per_segment; ++i) {
        if (segment.dirty[i] && segment.batch[i] == batch) {
            if (!is_held(segment, i)) {
                return Waiting::something;
            }
            found = Waiting::held_back;
        }
    }
    return found;
}

std::optional<std::uint32_t> OutputCache::oldest_batch() {
    for (auto entry = m_written_by.begin(); entry != m_written_by.end();) {
        bool is_held_back = false;
        for (auto const index : entry->second) {
            auto const found = m_by_index.find(index);
            auto const what =
                found == m_by_index.end() ? Waiting::nothing : waiting(*found->second, entry->first);
            if (what == Waiting::something) {
                return entry->first;
            }
            is_held_back = is_held_back || what == Waiting::held_back;
        }
        entry = is_held_back ? std::next(entry) : m_written_by.erase(entry);
    }
    return std::nullopt;
}

Result<> OutputCache::write_run(Segment& segment, std::size_t first, std::size_t end) {
    auto const bytes =
        BytesView(*segment.data).subspan(first * block_size_bytes, (end - first) * block_size_bytes);
    TRY_OK(m_device.write_at(segment.index * segment_bytes + first * block_size_bytes, bytes));
    for (auto i = first; i < end; ++i) {
        segment.dirty.reset(i);
        segment.streamed.reset(i);
    }
    sort_in(segment);
    m_trimmed.erase(segment.index);
    m_bytes_out += bytes.size();
    m_unsynced = true;
    return {};
}

/// The medium may hold anything in a trimmed segment, but the script was promised zeros around what it wrote
/// there.
Result<> OutputCache::write_trimmed_zeros(Segment& segment) {
    if (segment.dirty.none() || !m_trimmed.contains(segment.index)) {
        return {};
    }
    TRY_OK(load(segment));
    auto const dirty = segment.dirty;
    for (std::size_t i = 0; i < sectors_per_segment; ++i) {
        auto end = i;
        while (end < sectors_per_segment && !dirty[end]) {
            ++end;
        }
        if (end > i) {
            TRY_OK(write_run(segment, i, end));
            i = end;
        }
    }
    m_trimmed.erase(segment.index);
    return {};
}

/// An image file is a whole number of segments long, as the original makes it.
Result<> OutputCache::pad_image() {
    auto const size = m_device.size_bytes();
    if (m_device.growth() == Growth::grows && size > m_size_before && size % segment_bytes != 0) {
        auto const padded = (size / segment_bytes + 1) * segment_bytes;
        TRY_OK(m_device.write_at(size, Bytes(static_cast<std::size_t>(padded - size))));
        m_unsynced = true;
    }
    return {};
}

Result<> OutputCache::write_batch(std::uint32_t batch) {
    for (auto const index : m_written_by[batch]) {
        if (auto const found = m_by_index.find(index); found != m_by_index.end()) {
            TRY_OK(write_batch_of(*found->second, batch));
        }
    }
    return sync_device();
}

Result<> OutputCache::write_batch_of(Segment& segment, std::uint32_t batch) {
    auto const goes_out = [&](std::size_t i) {
        return segment.dirty[i] && segment.batch[i] == batch && !is_held(segment, i);
    };
    TRY_OK(write_trimmed_zeros(segment));
    for (std::size_t i = 0; i < sectors_per_segment; ++i) {
        auto end = i;
        while (end < sectors_per_segment && goes_out(end)) {
            ++end;
        }
        if (end > i) {
            TRY_OK(write_run(segment, i, end));
            i = end;
        }
    }
    return {};
}

Result<> OutputCache::sync_device() {
    if (m_unsynced) {
        TRY_OK(m_device.sync());
        m_unsynced = false;
    }
    return {};
}

Result<> OutputCache::flush_batches() {
    TRY_OK(sync_device()); // what streamed out comes before everything that was kept
    while (auto const batch = oldest_batch()) {
        TRY_OK(write_batch(*batch));
    }
    return {};
}

Result<> OutputCache::flush() {
    TRY_OK(flush_batches());
    m_held_blocks.clear();
    TRY_OK(flush_batches());
    TRY_OK(pad_image());
    return sync_device();
}

Result<> OutputCache::flush_all_but(std::set<std::uint64_t> blocks) {
    m_held_blocks = std::move(blocks);
    return flush_batches();
}

} // namespace sinew::firmware
