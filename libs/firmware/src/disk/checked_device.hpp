/// A disk with conditions: a hard end, writes that are read back, writes left out where nothing changes.
///
/// Reading back happens at each sync(), so what streamed is known to be right before anything that depends on
/// it is written. Invariant: nothing is written behind the limit. Threading: belongs to one thread.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace sinew::firmware {

enum class ReadBack : std::uint8_t { no, yes };
enum class UnchangedBlocks : std::uint8_t { written, left_alone };

struct DeviceConditions {
    std::optional<std::uint64_t> limit_bytes;
    ReadBack read_back = ReadBack::no;
    UnchangedBlocks unchanged = UnchangedBlocks::written;
};

class CheckedDevice final : public BlockDevice {
public:
    /// Borrows `disk`.
    CheckedDevice(BlockDevice& disk, DeviceConditions conditions)
        : m_disk(disk)
        , m_conditions(conditions)
        , m_size_before(disk.size_bytes()) {}

    [[nodiscard]] Result<> read_at(std::uint64_t offset, MutableBytesView into) override {
        return m_disk.read_at(offset, into);
    }
    /// Error no_space: the write goes behind the limit.
    [[nodiscard]] Result<> write_at(std::uint64_t offset, BytesView bytes) override;
    /// An image file under a limit that has grown is a whole number of segments long then, as far as the limit
    /// allows. Error corrupt: the disk doesn't hold what was written.
    [[nodiscard]] Result<> sync() override;
    [[nodiscard]] Result<> discard(std::uint64_t offset, std::uint64_t length) override;
    [[nodiscard]] std::uint64_t size_bytes() const override;
    [[nodiscard]] Growth growth() const override {
        return m_conditions.limit_bytes ? Growth::fixed : m_disk.growth();
    }
    [[nodiscard]] std::string name() const override { return m_disk.name(); }
    [[nodiscard]] std::optional<std::uint64_t> device_number() const override {
        return m_disk.device_number();
    }

private:
    struct Sums {
        std::uint32_t crc = 0;
        std::uint32_t adler = 0;
        bool operator==(Sums const&) const = default;
    };
    struct Written {
        std::uint64_t length = 0;
        Sums sums;
    };
    [[nodiscard]] static Sums sums_of(BytesView bytes);
    [[nodiscard]] Result<> fill_image();
    [[nodiscard]] Result<> write_changes(std::uint64_t offset, BytesView bytes);
    [[nodiscard]] bool overlaps_unchecked(std::uint64_t offset, std::uint64_t length) const;

    BlockDevice& m_disk;
    DeviceConditions m_conditions;
    std::uint64_t m_size_before;
    /// By offset: written since the last sync().
    std::map<std::uint64_t, Written> m_unchecked;
    Bytes m_read_back;
};

} // namespace sinew::firmware
