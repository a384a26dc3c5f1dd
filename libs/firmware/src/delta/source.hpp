/// What a patch is applied to: the bytes that are already on the device, read in any order.
///
/// Invariant: a read never leaves the source's size. Threading: belongs to one thread.
#pragma once

#include "disk/extent.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace sinew::firmware {

class DeltaSource {
public:
    DeltaSource() = default;
    DeltaSource(DeltaSource const&) = delete;
    DeltaSource& operator=(DeltaSource const&) = delete;
    virtual ~DeltaSource() = default;
    [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
    /// Fills `into`. Error corrupt: the range isn't inside the source; the patch is for something else.
    [[nodiscard]] virtual Result<> read_at(std::uint64_t offset, MutableBytesView into) = 0;
};

/// Bytes in memory. Borrows them.
class MemorySource final : public DeltaSource {
public:
    explicit MemorySource(BytesView bytes)
        : m_bytes(bytes) {}
    [[nodiscard]] std::uint64_t size_bytes() const override { return m_bytes.size(); }
    [[nodiscard]] Result<> read_at(std::uint64_t offset, MutableBytesView into) override;

private:
    BytesView m_bytes;
};

/// Stands for content that isn't there, to look at a patch without a device: as long as any, all zeros.
class UnknownSource final : public DeltaSource {
public:
    [[nodiscard]] std::uint64_t size_bytes() const override { return std::uint64_t{1} << 50u; }
    [[nodiscard]] Result<> read_at(std::uint64_t /*offset*/, MutableBytesView into) override {
        std::ranges::fill(into, std::byte{0});
        return {};
    }
};

/// Extents of a disk, one behind the other: a slot, or a file of a file system. Small reads go through a
/// cache of its own, so that many small copies don't become many small reads.
class DiskSource final : public DeltaSource {
public:
    /// Borrows `disk`.
    DiskSource(BlockDevice& disk, std::vector<DiskExtent> extents);
    [[nodiscard]] std::uint64_t size_bytes() const override { return m_size; }
    [[nodiscard]] Result<> read_at(std::uint64_t offset, MutableBytesView into) override;

private:
    static constexpr std::size_t line_bytes = 32u << 10;
    static constexpr std::size_t line_count = 32;
    static constexpr std::uint64_t no_line = std::numeric_limits<std::uint64_t>::max();

    [[nodiscard]] Result<> read_uncached(std::uint64_t offset, MutableBytesView into);
    [[nodiscard]] Result<BytesView> line(std::uint64_t index);

    BlockDevice& m_disk;
    std::vector<DiskExtent> m_extents;
    std::uint64_t m_size = 0;
    /// Which line of the source is in each place; a line has only one place it can be in.
    std::vector<std::uint64_t> m_held;
    Bytes m_lines;
};

} // namespace sinew::firmware
