/// What an update writes goes through here: whole segments stream out, small writes wait and go out in order
/// at the end.
///
/// Every sector remembers the batch (see barrier()) that wrote it last. flush() writes batch after batch,
/// each on the medium before the next begins; so a sector reaches the medium when its last change did in the
/// script's order. Invariant: a sector never reaches the medium before one that was last written earlier,
/// except whole segments that stream(). Nothing is ever written into a protected range. Finding a segment,
/// making room for one and finding what goes out next take a time that doesn't depend on how many there are.
/// Memory is taken segment by segment, as they are used. Threading: belongs to one thread.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace sinew::firmware {

enum class MediumTrim : std::uint8_t { off, on };

class OutputCache final : public BlockDevice {
public:
    static constexpr std::size_t segment_bytes = 128u << 10;
    static constexpr std::size_t sectors_per_segment = segment_bytes / block_size_bytes;

    /// Borrows `device`. Holds at most `most_segments` (at least 8) segments in memory, and more only if
    /// flush_all_but() keeps them back.
    OutputCache(BlockDevice& device, std::size_t most_segments);
    ~OutputCache() override;

    /// Refuses every later write that touches the range. `why` completes "refused to write ...".
    void protect(std::uint64_t first_block, std::uint64_t block_count, std::string why);

    [[nodiscard]] Result<> read_at(std::uint64_t offset, MutableBytesView into) override;
    /// Kept back until flush(). Offset and size are multiples of a sector.
    [[nodiscard]] Result<> write_at(std::uint64_t offset, BytesView bytes) override;
    /// Like write_at(), but a segment that becomes complete goes out at once.
    [[nodiscard]] Result<> stream(std::uint64_t offset, BytesView bytes);
    /// While set, write_at() behaves as stream() from this byte offset on; used for the data of file systems.
    void stream_writes_from(std::optional<std::uint64_t> offset) { m_stream_from = offset; }
    /// What comes now is a new batch: on the medium after what came before.
    [[nodiscard]] Result<> barrier() override;
    /// Makes a range read as zeros, rounded inward to segments, and tells the medium if asked to.
    [[nodiscard]] Result<> trim(std::uint64_t first_block, std::uint64_t block_count, MediumTrim medium);
    /// Brings everything onto the medium, in order.
    [[nodiscard]] Result<> flush();
    /// Like flush(), but these blocks are kept back: the next flush() writes them last of all.
    [[nodiscard]] Result<> flush_all_but(std::set<std::uint64_t> blocks);
    /// Forgets what wasn't written.
    void drop();

    [[nodiscard]] Result<> sync() override { return flush(); }
    [[nodiscard]] Result<> discard(std::uint64_t offset, std::uint64_t length) override;
    [[nodiscard]] std::uint64_t size_bytes() const override;
    [[nodiscard]] Growth growth() const override { return m_device.growth(); }
    [[nodiscard]] std::string name() const override { return m_device.name(); }
    [[nodiscard]] std::optional<std::uint64_t> device_number() const override {
        return m_device.device_number();
    }
    /// What is below: without what waits here.
    [[nodiscard]] BlockDevice& medium() const noexcept { return m_device; }
    /// The disk's length before anything was written; 0 of an image file that is new.
    [[nodiscard]] std::uint64_t size_at_start() const noexcept { return m_size_before; }
    /// Bytes written to the medium so far.
    [[nodiscard]] std::uint64_t bytes_out() const noexcept { return m_bytes_out; }

private:
    struct Segment {
        std::uint64_t index = 0;
        std::unique_ptr<std::array<std::byte, segment_bytes>> data;
        std::bitset<sectors_per_segment> valid;
        std::bitset<sectors_per_segment> dirty;
        std::bitset<sectors_per_segment> streamed;
        std::array<std::uint32_t, sectors_per_segment> batch{};
        /// Which of the lists it is in.
        bool is_in_dirty = false;
    };
    enum class Mode : std::uint8_t { kept, streamed };
    struct ProtectedRange {
        std::uint64_t first_byte = 0;
        std::uint64_t end_byte = 0;
        std::string why;
    };
    using Segments = std::list<Segment>;

    Result<> check_allowed(std::uint64_t offset, std::uint64_t length) const;
    Result<> write(std::uint64_t offset, BytesView bytes, Mode mode);
    Result<Segment*> segment(std::uint64_t index);
    Result<> load(Segment& segment);
    Result<> make_room();
    /// Puts the segment into the list where it belongs, in front.
    void sort_in(Segment const& segment);
    void forget(std::uint64_t index);
    Result<> write_out_complete(Segment& segment);
    Result<> flush_batches();
    Result<> write_batch(std::uint32_t batch);
    Result<> write_batch_of(Segment& segment, std::uint32_t batch);
    [[nodiscard]] bool is_held(Segment const& segment, std::size_t sector) const;
    Result<> write_trimmed_zeros(Segment& segment);
    Result<> pad_image();
    Result<> write_run(Segment& segment, std::size_t first, std::size_t end);
    Result<> sync_device();
    /// Which sectors of this batch a segment has: none, some that may go out, or only some that are kept
    /// back.
    enum class Waiting : std::uint8_t { nothing, something, held_back };
    [[nodiscard]] Waiting waiting(Segment const& segment, std::uint32_t batch) const;
    [[nodiscard]] std::optional<std::uint32_t> oldest_batch();

    BlockDevice& m_device;
    std::size_t m_most_segments;
    /// Those that wait to be written, and those that don't: these most recently used first.
    Segments m_dirty;
    Segments m_clean;
    /// The segments that each batch wrote to. What was written since by a later batch, or went out, is still
    /// in it.
    std::map<std::uint32_t, std::set<std::uint64_t>> m_written_by;
    std::unordered_map<std::uint64_t, Segments::iterator> m_by_index;
    std::set<std::uint64_t> m_trimmed;
    std::vector<ProtectedRange> m_protected;
    std::optional<std::uint64_t> m_stream_from;
    /// They don't go out.
    std::set<std::uint64_t> m_held_blocks;
    std::uint32_t m_batch = 1;
    bool m_batch_used = false;
    bool m_unsynced = false;
    std::uint64_t m_bytes_out = 0;
    std::uint64_t m_end = 0;
    std::uint64_t m_size_before = 0;
};

} // namespace sinew::firmware
