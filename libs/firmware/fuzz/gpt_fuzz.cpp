/// Any bytes as the header and the entries of a GPT, with right checksums, so that what is behind them is
/// reached.
#include <sinew/base/bytes.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/partition_table.hpp>

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

namespace {

std::uint32_t crc_of(sinew::BytesView bytes) {
    return static_cast<std::uint32_t>(
        crc32_z(0, reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size()));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sinew;
    using namespace sinew::firmware;
    constexpr std::size_t table_bytes = 64 * block_size_bytes;
    Bytes disk(table_bytes);
    std::copy_n(std::as_bytes(std::span(data, size)).begin(), std::min(size, table_bytes - block_size_bytes),
                disk.begin() + block_size_bytes);
    disk[446 + 4] = std::byte{0xEE};
    disk[510] = std::byte{0x55};
    disk[511] = std::byte{0xAA};
    auto const header = MutableBytesView(disk).subspan(block_size_bytes, block_size_bytes);
    auto const entries_bytes = std::uint64_t{load_le32(header, 80)} * load_le32(header, 84);
    if (load_le64(header, 72) == 2 && entries_bytes <= table_bytes - 2 * block_size_bytes) {
        store_le32(header, 88, crc_of(BytesView(disk).subspan(2 * block_size_bytes, entries_bytes)));
    }
    store_le64(header, 24, 1);
    store_le32(header, 16, 0);
    store_le32(header, 16, crc_of(header.first(std::min<std::size_t>(load_le32(header, 12), 512))));
    MemoryDevice device;
    (void)device.write_at(0, disk);
    auto const table = read_partition_table(device);
    if (!table) {
        return 0;
    }
    bool const is_sane =
        table->partitions.size() <= 128 &&
        std::ranges::all_of(table->partitions, [](Partition const& partition) {
            return partition.number < 128 && partition.block_count > 0 && partition.type_guid.size() == 36;
        });
    if (!is_sane) {
        std::abort();
    }
    return 0;
}
