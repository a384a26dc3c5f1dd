/// Any bytes as the beginning of a disk.
#include <sinew/base/bytes.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/partition_table.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sinew;
    using namespace sinew::firmware;
    MemoryDevice disk;
    (void)disk.write_at(0, std::as_bytes(std::span(data, size)));
    auto const table = read_partition_table(disk);
    if (table && table->partitions.size() > (table->kind == PartitionTableKind::gpt ? 128u : 4u + 8u)) {
        std::abort();
    }
    return 0;
}
