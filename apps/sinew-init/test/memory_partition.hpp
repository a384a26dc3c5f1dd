/// A data partition in memory, whose power can go at any write.
#pragma once

#include "partition_content.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/data_mark.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sinew::init {

class MemoryPartition final : public PartitionBytes {
public:
    static constexpr std::size_t size = 10u << 20;

    std::uint64_t size_bytes() const override { return content.size(); }
    Result<> read_at(std::uint64_t offset, MutableBytesView into) override {
        if (unreadable_at && *unreadable_at >= offset && *unreadable_at < offset + into.size()) {
            return failure(ErrorCode::io, "a sector can't be read");
        }
        std::ranges::copy(BytesView(content).subspan(offset, into.size()), into.begin());
        return {};
    }
    Result<> write_at(std::uint64_t offset, BytesView bytes) override {
        if (writes_left && (*writes_left)-- == 0) {
            return failure(ErrorCode::io, "the power is gone");
        }
        std::ranges::copy(bytes, content.begin() + static_cast<std::ptrdiff_t>(offset));
        return {};
    }
    Result<> sync() override { return {}; }

    void fill_start(std::byte value) { std::fill_n(content.begin(), 128u << 10, value); }
    void mark() { std::ranges::copy(as_bytes(device::data_mark()), content.begin()); }
    /// As mke2fs makes it, with blocks of 1 KiB: the superblock and a copy in group 1.
    void put_superblocks(std::uint16_t state, std::uint16_t mount_count) {
        std::fill_n(content.begin(), 1024, std::byte{0});
        for (std::uint16_t group = 0; group < 2; ++group) {
            auto const at = 1024 + group * 8192u * 1024u;
            std::fill_n(content.begin() + at, 1024, std::byte{0});
            store_le16(content, at + 52, mount_count);
            store_le16(content, at + 56, 0xEF53);
            store_le16(content, at + 58, state);
            store_le16(content, at + 90, group);
        }
    }
    PartitionContent probe() { return probe_partition(*this).value().content; }

    Bytes content = Bytes(size);
    std::optional<int> writes_left;
    std::optional<std::uint64_t> unreadable_at;
};

} // namespace sinew::init
