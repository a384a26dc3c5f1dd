/// One directory of a FAT volume, read as a whole, changed in memory and written back sector by sector.
///
/// Invariant: what is in memory is what the disk holds once a changing call has returned. Threading: one
/// thread.
#pragma once

#include "fat/layout.hpp"
#include "fat/name.hpp"
#include "fat/table.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::firmware {

namespace fat_attribute {
inline constexpr std::uint8_t read_only = 0x01;
inline constexpr std::uint8_t hidden = 0x02;
inline constexpr std::uint8_t system = 0x04;
inline constexpr std::uint8_t volume_label = 0x08;
inline constexpr std::uint8_t directory = 0x10;
inline constexpr std::uint8_t archive = 0x20;
inline constexpr std::uint8_t long_name_part = 0x0F;
} // namespace fat_attribute

struct FatEntry {
    std::u16string name;
    std::uint8_t attributes = 0;
    /// 0: the file is empty.
    std::uint32_t first_cluster = 0;
    std::uint32_t size_bytes = 0;
    /// Where it is in its directory: the first of its slots (a long name takes several), and the one with its
    /// data.
    std::size_t first_slot = 0;
    std::size_t slot = 0;
    [[nodiscard]] bool is_directory() const noexcept { return (attributes & fat_attribute::directory) != 0; }
};

/// What every part of a mounted volume needs. Owned by FatVolume.
struct FatContext {
    BlockDevice* disk = nullptr;
    std::uint64_t first_block = 0;
    FatLayout layout;
    FatTable table;
};

class FatDirectory {
public:
    /// `first_cluster` 0 is the root. Error corrupt: the chain is broken or endless.
    [[nodiscard]] static Result<FatDirectory> load(FatContext& context, std::uint32_t first_cluster);

    [[nodiscard]] Result<std::optional<FatEntry>> find(std::u16string_view name) const;
    [[nodiscard]] std::optional<FatEntry> find_label() const;
    [[nodiscard]] bool is_empty() const;
    /// Adds an entry; a name that isn't a short one gets a unique alias. Error no_space: the root directory
    /// is full.
    [[nodiscard]] Result<FatEntry> add(std::u16string_view name, std::uint8_t attributes,
                                       std::uint32_t first_cluster);
    [[nodiscard]] Result<> add_label(ShortName const& label);
    /// Writes attributes, first cluster and size of an entry.
    [[nodiscard]] Result<> update(FatEntry const& entry);
    [[nodiscard]] Result<> set_short_name(std::size_t slot, ShortName const& name);
    [[nodiscard]] Result<> remove(FatEntry const& entry);
    /// Clears the (new) directory and writes "." and "..".
    [[nodiscard]] Result<> initialise(std::uint32_t own_cluster, std::uint32_t parent_cluster);

private:
    explicit FatDirectory(FatContext& context)
        : m_context(&context) {}
    [[nodiscard]] std::size_t slot_count() const noexcept { return m_bytes.size() / 32; }
    [[nodiscard]] BytesView slot(std::size_t index) const {
        return BytesView(m_bytes).subspan(index * 32, 32);
    }
    [[nodiscard]] MutableBytesView slot(std::size_t index) {
        return MutableBytesView(m_bytes).subspan(index * 32, 32);
    }
    /// Calls `visit` for every entry until it returns true.
    template<typename Visit>
    void for_each(Visit visit) const;
    [[nodiscard]] bool has_short_name(ShortName const& name) const;
    [[nodiscard]] Result<ShortName> unique_alias(std::u16string_view name) const;
    [[nodiscard]] Result<std::size_t> free_run(std::size_t count);
    [[nodiscard]] Result<> grow();
    [[nodiscard]] Result<> write_slots(std::size_t first, std::size_t last);

    FatContext* m_context;
    std::vector<std::uint64_t> m_sectors;
    std::vector<std::uint32_t> m_clusters;
    Bytes m_bytes;
};

} // namespace sinew::firmware
