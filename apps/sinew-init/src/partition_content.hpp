/// What the bytes of the data partition say about what is in it, and the marks on it.
///
/// Invariant: `marked` and `empty` are the only contents in which nothing can be lost, and both are proofs:
/// somebody wrote that nothing counts, or there is neither a superblock nor a copy of one. What can't be read
/// proves nothing. Threading: one thread.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <vector>

namespace sinew::init {

/// The partition's bytes; in tests a piece of memory whose power can go.
class PartitionBytes {
public:
    PartitionBytes() = default;
    PartitionBytes(PartitionBytes const&) = delete;
    PartitionBytes& operator=(PartitionBytes const&) = delete;
    PartitionBytes(PartitionBytes&&) = delete;
    PartitionBytes& operator=(PartitionBytes&&) = delete;
    virtual ~PartitionBytes() = default;
    [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
    [[nodiscard]] virtual Result<> read_at(std::uint64_t offset, MutableBytesView into) = 0;
    [[nodiscard]] virtual Result<> write_at(std::uint64_t offset, BytesView bytes) = 0;
    [[nodiscard]] virtual Result<> sync() = 0;
};

enum class PartitionContent : std::uint8_t {
    /// The data mark is in its first block, or a file system was being made and isn't finished.
    marked,
    /// Its start and samples of the rest are uniform, and there is no copy of a superblock: never used.
    empty,
    /// An ext2/3/4 superblock that notes no error.
    file_system,
    /// An ext2/3/4 superblock whose owner, the kernel, has noted an error.
    file_system_with_errors,
    /// The superblock is gone, a copy of it is there.
    superblock_copy,
    /// Something else, which nobody here understands.
    unknown
};

/// A copy of the superblock, in the units of e2fsck's -b and -B.
struct SuperblockCopy {
    std::uint64_t block = 0;
    std::uint32_t block_size_bytes = 0;
    friend bool operator==(SuperblockCopy const&, SuperblockCopy const&) = default;
};

struct PartitionProbe {
    PartitionContent content = PartitionContent::unknown;
    /// The first few; looked for only when the superblock is gone.
    std::vector<SuperblockCopy> copies = {};
};

/// So much at the partition's end is kept out of the file system, for the mark of one that is being made.
inline constexpr std::uint64_t reserved_tail_bytes = 64u << 10;

/// Reads at most a few hundred places. Errors: it can't be read; invalid_argument: it is smaller than 1 MiB.
[[nodiscard]] Result<PartitionProbe> probe_partition(PartitionBytes& bytes);

/// The first few copies of a superblock. Error: it can't be read.
[[nodiscard]] Result<std::vector<SuperblockCopy>> find_superblock_copies(PartitionBytes& bytes);

/// Before a file system is made: marks the tail, so that one that is cut off is recognised as unfinished, and
/// erases every copy of an older superblock, so that nobody takes it for data. Call it only on `marked` and
/// `empty`.
[[nodiscard]] Result<> begin_format(PartitionBytes& bytes);

/// Once it is made, and before it is mounted for the first time.
[[nodiscard]] Result<> end_format(PartitionBytes& bytes);

} // namespace sinew::init
