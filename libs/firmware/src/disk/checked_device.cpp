#include "disk/checked_device.hpp"

#include "disk/output_cache.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <libdeflate.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sinew::firmware {

namespace {

/// Compared and left out in pieces of this size, the smallest that flash memory writes at once.
constexpr std::size_t compared_bytes = 4096;

} // namespace

/// Nobody forges what a medium does to it, so sums that cost nothing will do; together they have 64 bits.
CheckedDevice::Sums CheckedDevice::sums_of(BytesView bytes) {
    return {libdeflate_crc32(0, bytes.data(), bytes.size()),
            libdeflate_adler32(1, bytes.data(), bytes.size())};
}

bool CheckedDevice::overlaps_unchecked(std::uint64_t offset, std::uint64_t length) const {
    auto next = m_unchecked.lower_bound(offset + length);
    if (next == m_unchecked.begin()) {
        return false;
    }
    --next;
    return next->first + next->second.length > offset;
}

std::uint64_t CheckedDevice::size_bytes() const {
    auto const size = m_disk.size_bytes();
    auto const limit = m_conditions.limit_bytes.value_or(size);
    bool const grows_to_limit = m_disk.growth() == Growth::grows;
    return grows_to_limit ? limit : std::min(limit, size);
}

Result<> CheckedDevice::write_changes(std::uint64_t offset, BytesView bytes) {
    Bytes present(bytes.size());
    TRY_OK(m_disk.read_at(offset, present));
    auto const differs = [&](std::size_t at) {
        auto const count = std::min(compared_bytes, bytes.size() - at);
        return !std::ranges::equal(bytes.subspan(at, count), BytesView(present).subspan(at, count));
    };
    bool const is_behind_end = offset + bytes.size() > m_disk.size_bytes();
    for (std::size_t at = 0; at < bytes.size();) {
        if (!is_behind_end && !differs(at)) {
            at += compared_bytes;
            continue;
        }
        auto end = at + compared_bytes;
        while (end < bytes.size() && (is_behind_end || differs(end))) {
            end += compared_bytes;
        }
        end = std::min(end, bytes.size());
        TRY_OK(m_disk.write_at(offset + at, bytes.subspan(at, end - at)));
        at = end;
    }
    return {};
}

Result<> CheckedDevice::write_at(std::uint64_t offset, BytesView bytes) {
    if (m_conditions.limit_bytes &&
        (offset > *m_conditions.limit_bytes || bytes.size() > *m_conditions.limit_bytes - offset)) {
        return failure(ErrorCode::no_space,
                       m_disk.name() + ": a write of " + std::to_string(bytes.size()) + " bytes at byte " +
                           std::to_string(offset) + " goes past the largest size that was allowed, " +
                           std::to_string(*m_conditions.limit_bytes) + " bytes; allow more or write less");
    }
    bool const reads_back = m_conditions.read_back == ReadBack::yes;
    if (reads_back && overlaps_unchecked(offset, bytes.size())) {
        TRY_OK(sync());
    }
    TRY_OK(m_conditions.unchanged == UnchangedBlocks::left_alone ? write_changes(offset, bytes)
                                                                 : m_disk.write_at(offset, bytes));
    if (reads_back) {
        m_unchecked[offset] = {bytes.size(), sums_of(bytes)};
    }
    return {};
}

Result<> CheckedDevice::fill_image() {
    constexpr std::uint64_t step = OutputCache::segment_bytes;
    auto const size = m_disk.size_bytes();
    if (!m_conditions.limit_bytes || m_disk.growth() == Growth::fixed || size <= m_size_before) {
        return {};
    }
    auto const whole = std::min((size + step - 1) / step * step, *m_conditions.limit_bytes);
    return whole > size ? m_disk.write_at(size, Bytes(static_cast<std::size_t>(whole - size))) : Result<>{};
}

Result<> CheckedDevice::sync() {
    TRY_OK(fill_image());
    TRY_OK(m_disk.sync());
    for (auto const& [offset, written] : m_unchecked) {
        m_disk.forget_cached(offset, written.length);
        m_read_back.resize(std::max(m_read_back.size(), static_cast<std::size_t>(written.length)));
        auto const present = MutableBytesView(m_read_back).first(static_cast<std::size_t>(written.length));
        TRY_OK(m_disk.read_at(offset, present));
        if (sums_of(present) != written.sums) {
            return failure(ErrorCode::corrupt, m_disk.name() +
                                                   " doesn't hold what was written to it at byte " +
                                                   std::to_string(offset) +
                                                   "; the medium is worn out or counterfeit, use another");
        }
    }
    m_unchecked.clear();
    return {};
}

Result<> CheckedDevice::discard(std::uint64_t offset, std::uint64_t length) {
    if (overlaps_unchecked(offset, length)) {
        TRY_OK(sync());
    }
    return m_disk.discard(offset, length);
}

} // namespace sinew::firmware
