/// Slots of 32 bytes, short and long.
#include "fat/directory.hpp"

#include "fat/layout.hpp"
#include "fat/name.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr std::size_t most_sectors = 4096; // 65536 slots, more than FAT allows
constexpr std::size_t units_per_slot = 13;
constexpr std::byte free_mark{0xE5};
constexpr std::uint16_t date_1980 = 0x0021;
/// Where the 13 UTF-16 units of a long-name slot are.
constexpr std::array<std::size_t, units_per_slot> unit_positions{1,  3,  5,  7,  9,  14, 16,
                                                                 18, 20, 22, 24, 28, 30};

std::uint8_t byte_at(BytesView slot, std::size_t at) {
    return std::to_integer<std::uint8_t>(slot[at]);
}

ShortName short_name_of(BytesView slot) {
    ShortName name{};
    std::ranges::transform(slot.first(11), name.begin(),
                           [](std::byte b) { return std::to_integer<char>(b); });
    return name;
}

void put_short_slot(MutableBytesView slot, ShortName const& name, std::uint8_t attributes,
                    std::uint32_t first_cluster) {
    std::ranges::fill(slot, std::byte{0});
    std::ranges::copy(as_bytes(std::string_view(name.data(), name.size())), slot.begin());
    slot[11] = std::byte{attributes};
    store_le16(slot, 16, date_1980);
    store_le16(slot, 18, date_1980);
    store_le16(slot, 24, date_1980);
    store_le16(slot, 20, static_cast<std::uint16_t>(first_cluster >> 16));
    store_le16(slot, 26, static_cast<std::uint16_t>(first_cluster & 0xFFFF));
}

/// Collects the long name in front of a short slot.
class LongNameParts {
public:
    void restart() { m_text.clear(); }
    void take(BytesView slot, std::size_t index) {
        auto const order = byte_at(slot, 0);
        if ((order & 0x40u) != 0) {
            m_text.clear();
            m_checksum = byte_at(slot, 13);
            m_first_slot = index;
            m_expected = order & 0x3Fu;
        }
        if (m_expected == 0 || (order & 0x3Fu) != m_expected || byte_at(slot, 13) != m_checksum) {
            m_expected = 0;
            m_text.clear();
            return;
        }
        --m_expected;
        std::u16string part;
        for (auto const at : unit_positions) {
            part.push_back(static_cast<char16_t>(load_le16(slot, at)));
        }
        m_text.insert(0, part.substr(0, std::min(part.find(u'\0'), part.size())));
        m_complete = m_expected == 0;
    }
    /// The long name, if all of it was there and belongs to `name`.
    [[nodiscard]] std::optional<std::u16string> name_for(ShortName const& name) const {
        return m_complete && !m_text.empty() && m_checksum == short_name_checksum(name)
                   ? std::optional(m_text)
                   : std::nullopt;
    }
    [[nodiscard]] std::size_t first_slot() const { return m_first_slot; }

private:
    std::u16string m_text;
    unsigned m_expected = 0;
    bool m_complete = false;
    std::uint8_t m_checksum = 0;
    std::size_t m_first_slot = 0;
};

} // namespace

Result<FatDirectory> FatDirectory::load(FatContext& context, std::uint32_t first_cluster) {
    auto const& layout = context.layout;
    if (first_cluster == 0) {
        first_cluster = layout.root_cluster;
    }
    FatDirectory directory(context);
    if (first_cluster == 0) {
        for (std::uint32_t i = 0; i < layout.root_sectors; ++i) {
            directory.m_sectors.push_back(layout.root_start() + i);
        }
    } else {
        std::optional<std::uint32_t> cluster = first_cluster;
        while (cluster) {
            for (std::uint32_t i = 0; i < layout.sectors_per_cluster; ++i) {
                directory.m_sectors.push_back(layout.cluster_start(*cluster) + i);
            }
            directory.m_clusters.push_back(*cluster);
            if (directory.m_sectors.size() > most_sectors) {
                return failure(ErrorCode::corrupt,
                               "the FAT file system is damaged: a directory goes in circles");
            }
            TRY(cluster, context.table.next(*cluster));
        }
    }
    directory.m_bytes.resize(directory.m_sectors.size() * block_size_bytes);
    for (std::size_t i = 0; i < directory.m_sectors.size(); ++i) {
        TRY_OK(context.disk->read_at(
            (context.first_block + directory.m_sectors[i]) * block_size_bytes,
            MutableBytesView(directory.m_bytes).subspan(i * block_size_bytes, block_size_bytes)));
    }
    return directory;
}

template<typename Visit>
void FatDirectory::for_each(Visit visit) const {
    LongNameParts parts;
    for (std::size_t i = 0; i < slot_count(); ++i) {
        auto const bytes = slot(i);
        if (bytes[0] == std::byte{0}) {
            return;
        }
        if (bytes[0] == free_mark) {
            parts.restart();
            continue;
        }
        auto const attributes = byte_at(bytes, 11);
        if ((attributes & 0x3Fu) == fat_attribute::long_name_part) {
            parts.take(bytes, i);
            continue;
        }
        auto const name = short_name_of(bytes);
        auto const is_long = parts.name_for(name);
        FatEntry entry;
        entry.name = is_long ? *is_long : short_to_long(name, byte_at(bytes, 12));
        entry.attributes = attributes;
        entry.first_cluster = std::uint32_t{load_le16(bytes, 20)} << 16 | load_le16(bytes, 26);
        entry.size_bytes = load_le32(bytes, 28);
        entry.slot = i;
        entry.first_slot = is_long ? parts.first_slot() : i;
        parts.restart();
        if (visit(entry, name)) {
            return;
        }
    }
}

Result<std::optional<FatEntry>> FatDirectory::find(std::u16string_view name) const {
    std::optional<FatEntry> found;
    for_each([&](FatEntry const& entry, ShortName const& short_name) {
        bool const is_label = (entry.attributes & fat_attribute::volume_label) != 0;
        if (!is_label && (same_name(entry.name, name) || same_name(short_to_long(short_name, 0), name))) {
            found = entry;
        }
        return found.has_value();
    });
    if (found && found->first_cluster != 0 &&
        (found->first_cluster < 2 || found->first_cluster > m_context->layout.last_cluster())) {
        return failure(ErrorCode::corrupt, "the FAT file system is damaged: a directory entry leads nowhere");
    }
    return found;
}

std::optional<FatEntry> FatDirectory::find_label() const {
    std::optional<FatEntry> found;
    for_each([&](FatEntry const& entry, ShortName const& /*name*/) {
        if ((entry.attributes & fat_attribute::volume_label) != 0) {
            found = entry;
        }
        return found.has_value();
    });
    return found;
}

bool FatDirectory::is_empty() const {
    bool empty = true;
    for_each([&](FatEntry const& entry, ShortName const& /*name*/) {
        empty = entry.name == u"." || entry.name == u"..";
        return !empty;
    });
    return empty;
}

bool FatDirectory::has_short_name(ShortName const& name) const {
    bool found = false;
    for_each([&](FatEntry const& entry, ShortName const& other) {
        found = (entry.attributes & fat_attribute::volume_label) == 0 && other == name;
        return found;
    });
    return found;
}

Result<ShortName> FatDirectory::unique_alias(std::u16string_view name) const {
    constexpr std::uint32_t most_tails = 99'999;
    for (std::uint32_t tail = 0; tail <= most_tails; ++tail) {
        auto const alias = make_short_name(name, tail);
        auto const plain = short_to_long(alias, 0);
        // Without a tail only if nothing but the case was lost.
        if ((tail > 0 || same_name(plain, name)) && !has_short_name(alias)) {
            return alias;
        }
    }
    return failure(ErrorCode::no_space, "too many similar names in one directory of a FAT file system");
}

Result<> FatDirectory::grow() {
    if (m_clusters.empty()) {
        return failure(ErrorCode::no_space,
                       "the root directory of the FAT file system is full (512 entries)");
    }
    auto& context = *m_context;
    TRY(auto const cluster, context.table.allocate(m_clusters.back()));
    m_clusters.push_back(cluster);
    auto const first_new = slot_count();
    for (std::uint32_t i = 0; i < context.layout.sectors_per_cluster; ++i) {
        m_sectors.push_back(context.layout.cluster_start(cluster) + i);
    }
    m_bytes.resize(m_sectors.size() * block_size_bytes);
    return write_slots(first_new, slot_count() - 1);
}

Result<std::size_t> FatDirectory::free_run(std::size_t count) {
    std::size_t run = 0;
    for (std::size_t i = 0;; ++i) {
        if (i == slot_count()) {
            if (m_sectors.size() >= most_sectors) {
                return failure(ErrorCode::no_space, "a directory of the FAT file system is full");
            }
            TRY_OK(grow());
        }
        auto const mark = slot(i)[0];
        run = mark == std::byte{0} || mark == free_mark ? run + 1 : 0;
        if (run == count) {
            return i + 1 - count;
        }
    }
}

Result<> FatDirectory::write_slots(std::size_t first, std::size_t last) {
    constexpr std::size_t per_sector = block_size_bytes / 32;
    for (auto i = first / per_sector; i <= last / per_sector; ++i) {
        auto const sector = BytesView(m_bytes).subspan(i * block_size_bytes, block_size_bytes);
        TRY_OK(m_context->disk->write_at((m_context->first_block + m_sectors[i]) * block_size_bytes, sector));
    }
    return {};
}

Result<FatEntry> FatDirectory::add(std::u16string_view name, std::uint8_t attributes,
                                   std::uint32_t first_cluster) {
    ShortName alias{};
    std::size_t long_slots = 0;
    auto const form = short_form(name);
    if (form && !has_short_name(form->name)) {
        alias = form->name;
    } else {
        TRY(alias, unique_alias(name));
        long_slots = (name.size() + units_per_slot - 1) / units_per_slot;
    }
    TRY(auto const first, free_run(long_slots + 1));
    for (std::size_t part = 0; part < long_slots; ++part) {
        // The last part of the name comes first.
        auto const number = long_slots - part;
        auto const bytes = slot(first + part);
        std::ranges::fill(bytes, std::byte{0});
        bytes[0] = static_cast<std::byte>(number | (part == 0 ? 0x40u : 0u));
        bytes[11] = std::byte{fat_attribute::long_name_part};
        bytes[13] = std::byte{short_name_checksum(alias)};
        for (std::size_t unit = 0; unit < units_per_slot; ++unit) {
            auto const at = (number - 1) * units_per_slot + unit;
            char16_t const c = at < name.size() ? name[at] : at == name.size() ? u'\0' : u'\xFFFF';
            store_le16(bytes, unit_positions[unit], static_cast<std::uint16_t>(c));
        }
    }
    put_short_slot(slot(first + long_slots), alias, attributes, first_cluster);
    slot(first + long_slots)[12] = static_cast<std::byte>(long_slots == 0 && form ? form->case_flags : 0);
    TRY_OK(write_slots(first, first + long_slots));
    return FatEntry{std::u16string(name), attributes, first_cluster, 0, first, first + long_slots};
}

Result<> FatDirectory::add_label(ShortName const& label) {
    TRY(auto const at, free_run(1));
    put_short_slot(slot(at), label, fat_attribute::volume_label, 0);
    return write_slots(at, at);
}

Result<> FatDirectory::update(FatEntry const& entry) {
    auto const bytes = slot(entry.slot);
    bytes[11] = std::byte{entry.attributes};
    store_le16(bytes, 20, static_cast<std::uint16_t>(entry.first_cluster >> 16));
    store_le16(bytes, 26, static_cast<std::uint16_t>(entry.first_cluster & 0xFFFF));
    store_le32(bytes, 28, entry.size_bytes);
    return write_slots(entry.slot, entry.slot);
}

Result<> FatDirectory::set_short_name(std::size_t index, ShortName const& name) {
    std::ranges::copy(as_bytes(std::string_view(name.data(), name.size())), slot(index).begin());
    return write_slots(index, index);
}

Result<> FatDirectory::remove(FatEntry const& entry) {
    for (auto i = entry.first_slot; i <= entry.slot; ++i) {
        slot(i)[0] = free_mark;
    }
    return write_slots(entry.first_slot, entry.slot);
}

Result<> FatDirectory::initialise(std::uint32_t own_cluster, std::uint32_t parent_cluster) {
    std::ranges::fill(m_bytes, std::byte{0});
    ShortName name{};
    name.fill(' ');
    name[0] = '.';
    put_short_slot(slot(0), name, fat_attribute::directory, own_cluster);
    name[1] = '.';
    put_short_slot(slot(1), name, fat_attribute::directory, parent_cluster);
    return write_slots(0, slot_count() - 1);
}

} // namespace sinew::firmware
