/// A disk that loses power at its Nth write, and then loses or reorders what wasn't synced.
///
/// Invariant: what was written before a sync() that returned is never lost. Threading: one thread.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::firmware::test {

/// What happens at the chosen write.
enum class Fault : std::uint8_t {
    power_loss, ///< It and everything after it is lost, what wasn't synced perhaps too.
    io_error,   ///< It fails, and only it.
    disk_full,  ///< It and all later ones fail; power stays.
    sync_error, ///< The sync of that number fails; what it was to bring onto the medium may be lost.
};

/// Whether power may go in the middle of a sector. A disk promises that it doesn't; flash without a
/// controller doesn't promise anything.
enum class Sectors : std::uint8_t { whole, torn };

class PowerCutDisk final : public BlockDevice {
public:
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    /// The fault comes just before write (or sync) number `cut_at`, from 0, would be accepted.
    PowerCutDisk(Bytes content, std::uint64_t cut_at, Fault fault = Fault::power_loss)
        : m_current(std::move(content))
        , m_cut_at(cut_at)
        , m_fault(fault) {}
    Result<> read_at(std::uint64_t offset, MutableBytesView into) override;
    Result<> write_at(std::uint64_t offset, BytesView bytes) override;
    Result<> sync() override;
    Result<> discard(std::uint64_t /*offset*/, std::uint64_t /*length*/) override { return {}; }
    [[nodiscard]] std::uint64_t size_bytes() const override { return m_current.size(); }
    [[nodiscard]] Growth growth() const override { return Growth::fixed; }
    [[nodiscard]] std::string name() const override { return "power-cut disk"; }

    [[nodiscard]] std::uint64_t write_count() const noexcept { return m_write_count; }
    [[nodiscard]] std::uint64_t sync_count() const noexcept { return m_sync_count; }
    /// First and last block of each write, in order; each sync begins a new batch.
    [[nodiscard]] std::vector<std::vector<std::pair<std::uint64_t, std::uint64_t>>> const& batches() const {
        return m_batches;
    }
    /// What the medium may hold after power returns: the synced content and an arbitrary part of the sectors
    /// written since, in an arbitrary order. Seed 0: none of them; seed 1: all.
    [[nodiscard]] Bytes after_power_loss(std::uint32_t seed, Sectors sectors = Sectors::whole) const;
    /// As programs see it now.
    [[nodiscard]] Bytes const& content() const noexcept { return m_current; }

private:
    struct Write {
        std::uint64_t offset = 0;
        Bytes bytes;
        /// What was there before it.
        Bytes replaced;
    };
    void remember(std::uint64_t offset, BytesView bytes);

    Bytes m_current;
    std::vector<Write> m_unsynced;
    std::vector<std::vector<std::pair<std::uint64_t, std::uint64_t>>> m_batches{1};
    std::uint64_t m_cut_at;
    Fault m_fault;
    std::uint64_t m_write_count = 0;
    std::uint64_t m_sync_count = 0;
    bool m_powerless = false;
};

} // namespace sinew::firmware::test
