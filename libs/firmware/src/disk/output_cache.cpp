/// The cache. See the header for invariant and threading.
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

bool OutputCache::is_held(Segment const& segment, std::size_t sector) const {
    return m_held_blocks.contains(segment.index * sectors_per_segment + sector);
}

std::optional<std::uint32_t> OutputCache::oldest_touch() const {
    std::optional<std::uint32_t> oldest;
    for (auto const& segment : m_segments) {
        for (std::size_t i = 0; segment.dirty.any() && i < sectors_per_segment; ++i) {
            if (segment.dirty[i] && !is_held(segment, i) && (!oldest || segment.touch[i] < *oldest)) {
                oldest = segment.touch[i];
            }
        }
    }
    return oldest;
}

Result<> OutputCache::make_room() {
    while (m_segments.size() >= m_most_segments) {
        auto const clean = std::find_if(m_segments.rbegin(), m_segments.rend(),
                                        [](Segment const& s) { return s.dirty.none(); });
        if (clean != m_segments.rend()) {
            m_by_index.erase(clean->index);
            m_segments.erase(std::next(clean).base());
            continue;
        }
        // The order holds here too: the oldest touch goes out first, and whole.
        TRY_OK(sync_device());
        if (auto const touch = oldest_touch()) {
            TRY_OK(write_touch(*touch));
        }
    }
    return {};
}

Result<OutputCache::Segment*> OutputCache::segment(std::uint64_t index) {
    if (auto const found = m_by_index.find(index); found != m_by_index.end()) {
        m_segments.splice(m_segments.begin(), m_segments, found->second);
        return &m_segments.front();
    }
    TRY_OK(make_room());
    m_segments.emplace_front();
    m_segments.front().index = index;
    m_segments.front().data = std::make_unique_for_overwrite<std::array<std::byte, segment_bytes>>();
    m_by_index[index] = m_segments.begin();
    return &m_segments.front();
}

/// Fills the sectors that the segment doesn't hold yet.
Result<> OutputCache::load(Segment& segment) {
    if (segment.valid.all()) {
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
    m_touch_used = true;
    while (!bytes.empty()) {
        auto const at = static_cast<std::size_t>(offset % segment_bytes);
        auto const count = std::min(bytes.size(), segment_bytes - at);
        TRY(auto* const cached, segment(offset / segment_bytes));
        std::copy_n(bytes.begin(), count, cached->data->begin() + static_cast<std::ptrdiff_t>(at));
        for (auto i = at / block_size_bytes; i < (at + count) / block_size_bytes; ++i) {
            cached->valid.set(i);
            cached->dirty.set(i);
            cached->streamed.set(i, mode == Mode::streamed);
            cached->touch[i] = m_touch;
        }
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
    auto const index = segment.index;
    m_segments.erase(m_by_index.at(index));
    m_by_index.erase(index);
    return {};
}

Result<> OutputCache::write_run(Segment& segment, std::size_t first, std::size_t end) {
    auto const bytes =
        BytesView(*segment.data).subspan(first * block_size_bytes, (end - first) * block_size_bytes);
    TRY_OK(m_device.write_at(segment.index * segment_bytes + first * block_size_bytes, bytes));
    for (auto i = first; i < end; ++i) {
        segment.dirty.reset(i);
        segment.streamed.reset(i);
    }
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

Result<> OutputCache::write_touch(std::uint32_t touch) {
    for (auto& segment : m_segments) {
        TRY_OK(write_trimmed_zeros(segment));
        std::size_t i = 0;
        while (segment.dirty.any() && i < sectors_per_segment) {
            if (!segment.dirty[i] || segment.touch[i] != touch || is_held(segment, i)) {
                ++i;
                continue;
            }
            auto end = i + 1;
            while (end < sectors_per_segment && segment.dirty[end] && segment.touch[end] == touch &&
                   !is_held(segment, end)) {
                ++end;
            }
            TRY_OK(write_run(segment, i, end));
            i = end;
        }
    }
    return sync_device();
}

Result<> OutputCache::sync_device() {
    if (m_unsynced) {
        TRY_OK(m_device.sync());
        m_unsynced = false;
    }
    return {};
}

Result<> OutputCache::barrier() {
    if (m_touch_used) {
        ++m_touch;
        m_touch_used = false;
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
    for (auto const& [index, position] : std::unordered_map(m_by_index)) {
        if (index >= first && index < end) {
            m_segments.erase(position);
            m_by_index.erase(index);
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

Result<> OutputCache::flush_touches() {
    TRY_OK(sync_device()); // what streamed out comes before everything that was kept
    while (auto const touch = oldest_touch()) {
        TRY_OK(write_touch(*touch));
    }
    return {};
}

Result<> OutputCache::flush() {
    TRY_OK(flush_touches());
    m_held_blocks.clear();
    TRY_OK(flush_touches());
    TRY_OK(pad_image());
    return sync_device();
}

Result<> OutputCache::flush_all_but(std::set<std::uint64_t> blocks) {
    m_held_blocks = std::move(blocks);
    return flush_touches();
}

void OutputCache::drop() {
    m_segments.clear();
    m_by_index.clear();
    m_trimmed.clear();
    m_end = m_device.size_bytes();
}

} // namespace sinew::firmware
