#include "disk/output_cache.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr std::size_t fewest_segments = 8;
constexpr std::uint64_t largest_offset = std::uint64_t{1} << 60;

} // namespace

OutputCache::OutputCache(BlockDevice& device, std::size_t most_segments)
    : m_device(device)
    , m_most_segments(std::max(most_segments, fewest_segments))
    , m_end(device.size_bytes())
    , m_size_before(device.size_bytes()) {}

OutputCache::~OutputCache() = default;

void OutputCache::protect(std::uint64_t first_block, std::uint64_t block_count, std::string why) {
    m_protected.push_back(
        {first_block * block_size_bytes, (first_block + block_count) * block_size_bytes, std::move(why)});
}

Result<> OutputCache::check_allowed(std::uint64_t offset, std::uint64_t length) const {
    if (offset > largest_offset || length > largest_offset) {
        return failure(ErrorCode::no_space, m_device.name() + ": block " +
                                                std::to_string(offset / block_size_bytes) +
                                                " is behind the end of any disk");
    }
    for (auto const& range : m_protected) {
        if (offset < range.end_byte && range.first_byte < offset + length) {
            return failure(ErrorCode::denied, "refused to write to block " +
                                                  std::to_string(offset / block_size_bytes) + " of " +
                                                  m_device.name() + ": " + range.why);
        }
    }
    if (m_device.growth() == Growth::fixed && offset + length > m_device.size_bytes()) {
        return failure(ErrorCode::no_space, m_device.name() + " ends at block " +
                                                std::to_string(m_device.size_bytes() / block_size_bytes) +
                                                ", but a write goes up to block " +
                                                std::to_string((offset + length) / block_size_bytes) +
                                                "; use a larger disk");
    }
    return {};
}

std::uint64_t OutputCache::size_bytes() const {
    return std::max(m_end, m_device.size_bytes());
}

void OutputCache::sort_in(Segment const& segment) {
    auto& list = segment.dirty.any() ? m_dirty : m_clean;
    auto const position = m_by_index.at(segment.index);
    list.splice(list.begin(), position->is_in_dirty ? m_dirty : m_clean, position);
    position->is_in_dirty = segment.dirty.any();
}

Result<> OutputCache::make_room() {
    while (m_by_index.size() >= m_most_segments) {
        if (!m_clean.empty()) {
            m_by_index.erase(m_clean.back().index);
            m_clean.pop_back();
            continue;
        }
        // The order holds here too: the oldest batch goes out first, and whole.
        TRY_OK(sync_device());
        auto const batch = oldest_batch();
        if (!batch) {
            break; // all that is left is kept back
        }
        TRY_OK(write_batch(*batch));
    }
    return {};
}

Result<OutputCache::Segment*> OutputCache::segment(std::uint64_t index) {
    if (auto const found = m_by_index.find(index); found != m_by_index.end()) {
        sort_in(*found->second);
        return &*found->second;
    }
    TRY_OK(make_room());
    m_clean.emplace_front();
    m_clean.front().index = index;
    m_clean.front().data = std::make_unique_for_overwrite<std::array<std::byte, segment_bytes>>();
    m_by_index[index] = m_clean.begin();
    return &m_clean.front();
}

/// Fills the sectors that the segment doesn't hold yet.
Result<> OutputCache::load(Segment& segment) {
    if (segment.valid.all()) {
        return {};
    }
    if (segment.valid.none() && !m_trimmed.contains(segment.index)) {
        TRY_OK(m_device.read_at(segment.index * segment_bytes, *segment.data));
        segment.valid.set();
        return {};
    }
    auto const from_device = std::make_unique<std::array<std::byte, segment_bytes>>();
    if (!m_trimmed.contains(segment.index)) {
        TRY_OK(m_device.read_at(segment.index * segment_bytes, *from_device));
    }
    for (std::size_t i = 0; i < sectors_per_segment; ++i) {
        if (!segment.valid[i]) {
            std::copy_n(from_device->begin() + static_cast<std::ptrdiff_t>(i * block_size_bytes),
                        block_size_bytes,
                        segment.data->begin() + static_cast<std::ptrdiff_t>(i * block_size_bytes));
        }
    }
    segment.valid.set();
    return {};
}

Result<> OutputCache::read_at(std::uint64_t offset, MutableBytesView into) {
    if (offset > largest_offset) {
        std::ranges::fill(into, std::byte{0});
        return {};
    }
    while (!into.empty()) {
        auto const at = static_cast<std::size_t>(offset % segment_bytes);
        auto const count = std::min(into.size(), segment_bytes - at);
        TRY(auto* const cached, segment(offset / segment_bytes));
        TRY_OK(load(*cached));
        std::copy_n(cached->data->begin() + static_cast<std::ptrdiff_t>(at), count, into.begin());
        offset += count;
        into = into.subspan(count);
    }
    return {};
}

Result<> OutputCache::write_at(std::uint64_t offset, BytesView bytes) {
    return write(offset, bytes, m_stream_from && offset >= *m_stream_from ? Mode::streamed : Mode::kept);
}

Result<> OutputCache::stream(std::uint64_t offset, BytesView bytes) {
    return write(offset, bytes, Mode::streamed);
}

Result<> OutputCache::write(std::uint64_t offset, BytesView bytes, Mode mode) {
    if (offset % block_size_bytes != 0 || bytes.size() % block_size_bytes != 0) {
        throw std::logic_error("OutputCache: a write isn't a multiple of a sector");
    }
    TRY_OK(check_allowed(offset, bytes.size()));
    m_batch_used = true;
    while (!bytes.empty()) {
        auto const at = static_cast<std::size_t>(offset % segment_bytes);
        auto const count = std::min(bytes.size(), segment_bytes - at);
        TRY(auto* const cached, segment(offset / segment_bytes));
        std::copy_n(bytes.begin(), count, cached->data->begin() + static_cast<std::ptrdiff_t>(at));
        for (auto i = at / block_size_bytes; i < (at + count) / block_size_bytes; ++i) {
            cached->valid.set(i);
            cached->dirty.set(i);
            cached->streamed.set(i, mode == Mode::streamed);
            cached->batch[i] = m_batch;
        }
        sort_in(*cached);
        m_written_by[m_batch].insert(cached->index);
        offset += count;
        bytes = bytes.subspan(count);
        m_end = std::max(m_end, offset);
        if (cached->dirty.all() && cached->streamed.all()) {
            TRY_OK(write_out_complete(*cached));
        }
    }
    return {};
}

Result<> OutputCache::write_out_complete(Segment& segment) {
    TRY_OK(write_run(segment, 0, sectors_per_segment));
    // Its content won't be read again soon, so the room is better used otherwise.
    m_written_by[m_batch].erase(segment.index);
    forget(segment.index);
    return {};
}

void OutputCache::forget(std::uint64_t index) {
    auto const position = m_by_index.at(index);
    (position->is_in_dirty ? m_dirty : m_clean).erase(position);
    m_by_index.erase(index);
}

Result<> OutputCache::barrier() {
    if (m_batch_used) {
        ++m_batch;
        m_batch_used = false;
    }
    return {};
}

Result<> OutputCache::trim(std::uint64_t first_block, std::uint64_t block_count, MediumTrim medium) {
    auto const begin = first_block * block_size_bytes;
    auto const length = block_count * block_size_bytes;
    TRY_OK(check_allowed(begin, length));
    auto const first = (begin + segment_bytes - 1) / segment_bytes;
    auto const end = (begin + length) / segment_bytes;
    if (first >= end) {
        return {};
    }
    for (auto* const list : {&m_dirty, &m_clean}) {
        for (auto position = list->begin(); position != list->end();) {
            auto const index = (position++)->index;
            if (index >= first && index < end) {
                forget(index);
            }
        }
    }
    constexpr std::uint64_t most_remembered = 1u << 20; // 128 GiB; a larger trim only speaks to the medium
    for (auto index = first; index < end && index - first < most_remembered; ++index) {
        if (index * segment_bytes >= size_bytes()) {
            break; // reads as zeros anyway
        }
        m_trimmed.insert(index);
    }
    if (medium == MediumTrim::on) {
        return m_device.discard(first * segment_bytes, (end - first) * segment_bytes);
    }
    return {};
}

Result<> OutputCache::discard(std::uint64_t offset, std::uint64_t length) {
    return trim(offset / block_size_bytes, length / block_size_bytes, MediumTrim::off);
}

void OutputCache::drop() {
    m_dirty.clear();
    m_clean.clear();
    m_by_index.clear();
    m_written_by.clear();
    m_trimmed.clear();
    m_end = m_device.size_bytes();
}

} // namespace sinew::firmware
