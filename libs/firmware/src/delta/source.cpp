/// Sources in memory and on disks.
#include "delta/source.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

Result<> check_inside(std::uint64_t size, std::uint64_t offset, std::uint64_t length) {
    if (offset <= size && length <= size - offset) {
        return {};
    }
    return failure(ErrorCode::corrupt, "the patch asks for byte " + std::to_string(offset) +
                                           " of what it is applied to, which has " + std::to_string(size) +
                                           "; it was made from something else");
}

} // namespace

Result<> MemorySource::read_at(std::uint64_t offset, MutableBytesView into) {
    TRY_OK(check_inside(m_bytes.size(), offset, into.size()));
    std::ranges::copy(m_bytes.subspan(static_cast<std::size_t>(offset), into.size()), into.begin());
    return {};
}

DiskSource::DiskSource(BlockDevice& disk, std::vector<DiskExtent> extents)
    : m_disk(disk)
    , m_extents(std::move(extents)) {
    for (auto const& extent : m_extents) {
        m_size += extent.length;
    }
}

Result<> DiskSource::read_uncached(std::uint64_t offset, MutableBytesView into) {
    for (auto const& extent : m_extents) {
        if (into.empty()) {
            break;
        }
        if (offset >= extent.length) {
            offset -= extent.length;
            continue;
        }
        auto const count =
            static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), extent.length - offset));
        TRY_OK(m_disk.read_at(extent.offset + offset, into.first(count)));
        into = into.subspan(count);
        offset = 0;
    }
    return {};
}

Result<BytesView> DiskSource::line(std::uint64_t index) {
    if (m_lines.empty()) {
        m_lines.resize(line_count * line_bytes);
        m_held.assign(line_count, no_line);
    }
    auto const place = static_cast<std::size_t>(index % line_count);
    auto const begin = index * line_bytes;
    auto const bytes =
        MutableBytesView(m_lines)
            .subspan(place * line_bytes)
            .first(static_cast<std::size_t>(std::min<std::uint64_t>(line_bytes, m_size - begin)));
    if (m_held[place] != index) {
        m_held[place] = no_line;
        TRY_OK(read_uncached(begin, bytes));
        m_held[place] = index;
    }
    return bytes;
}

Result<> DiskSource::read_at(std::uint64_t offset, MutableBytesView into) {
    TRY_OK(check_inside(m_size, offset, into.size()));
    if (into.size() >= line_bytes) {
        return read_uncached(offset, into);
    }
    while (!into.empty()) {
        TRY(auto const held, line(offset / line_bytes));
        auto const rest = held.subspan(static_cast<std::size_t>(offset % line_bytes));
        auto const count = std::min(rest.size(), into.size());
        std::copy_n(rest.begin(), count, into.begin());
        offset += count;
        into = into.subspan(count);
    }
    return {};
}

} // namespace sinew::firmware
