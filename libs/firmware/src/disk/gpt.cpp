/// From a `gpt` section to sectors.
#include "disk/gpt.hpp"

#include "disk/guid.hpp"
#include "disk/mbr.hpp"
#include "disk/unicode.hpp"
#include "script/config.hpp"
#include "script/number.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::uint64_t most_scripted_partitions = 16;
constexpr std::size_t entry_count = 128;
constexpr std::size_t entry_size = 128;
constexpr std::size_t header_size = 92;
/// One header and the entries.
constexpr std::uint64_t table_blocks = 1 + entry_count * entry_size / block_size_bytes;
constexpr std::size_t longest_name = 36;
constexpr std::int64_t unset_count = std::numeric_limits<std::int32_t>::max();
constexpr std::uint64_t legacy_bootable = 4;

std::unexpected<Error> invalid(std::string const& what) {
    return failure(ErrorCode::invalid_argument, what);
}

std::uint32_t crc_of(BytesView bytes) {
    return static_cast<std::uint32_t>(
        crc32_z(0, reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size()));
}

Result<Guid> guid_option(Section const& section, std::string_view option, std::string const& owner) {
    auto const text = section.text(option);
    auto const guid = parse_guid(text);
    if (!guid) {
        return invalid(owner + ": " + std::string(option) +
                       " must be given as 8-4-4-4-12 hexadecimal digits, not '" +
                       std::string(text.substr(0, 60)) + "'");
    }
    return *guid;
}

Result<std::u16string> name_option(Section const& section, std::string const& owner) {
    auto const text = section.text("name");
    auto const name = utf16_of(text);
    if (!name || name->size() > longest_name || name->contains(u'\0')) {
        return invalid(owner + ": name must be UTF-8 text of at most 36 characters, not '" +
                       std::string(text.substr(0, 60)) + "'");
    }
    return *name;
}

Result<GptPartition> partition_from(Section const& section) {
    auto const number = parse_number(section.title);
    if (!number || *number >= most_scripted_partitions) {
        return invalid("partition '" + section.title + "' must be numbered 0 to 15");
    }
    auto const owner = "partition " + section.title;
    GptPartition partition;
    partition.number = static_cast<int>(*number);
    auto const offset = parse_number(section.text("block-offset"));
    if (!offset || *offset >= std::numeric_limits<std::uint32_t>::max()) {
        return invalid(owner + ": block-offset must be given and less than 2^32 - 1, not '" +
                       std::string(section.text("block-offset").substr(0, 60)) + "'");
    }
    if (*offset <= table_blocks) {
        return invalid(owner + ": must begin at block " + std::to_string(table_blocks + 1) +
                       " or later; the table itself is before that");
    }
    partition.block_offset = *offset;
    auto const count = section.integer("block-count");
    if (count < 1 || count >= unset_count) {
        return invalid(owner + ": block-count must be given, at least 1 and less than 2^31 - 1");
    }
    partition.block_count = static_cast<std::uint64_t>(count);
    TRY(partition.type, guid_option(section, "type", owner));
    TRY(partition.guid, guid_option(section, "guid", owner));
    TRY(partition.name, name_option(section, owner));
    auto const flags = section.text("flags");
    auto const value = flags.empty() ? std::optional<std::uint64_t>(0) : parse_number(flags);
    if (!value) {
        return invalid(owner + ": flags must be a number, not '" + std::string(flags.substr(0, 60)) + "'");
    }
    partition.flags = *value | (section.boolean("boot") ? legacy_bootable : 0);
    return partition;
}

Result<> check_overlaps(std::vector<GptPartition> const& partitions) {
    for (std::size_t i = 0; i < partitions.size(); ++i) {
        for (std::size_t j = i + 1; j < partitions.size(); ++j) {
            auto const& a = partitions[i];
            auto const& b = partitions[j];
            if (a.block_offset < b.block_offset + b.block_count &&
                b.block_offset < a.block_offset + a.block_count) {
                return invalid("partitions " + std::to_string(a.number) + " and " + std::to_string(b.number) +
                               " overlap");
            }
        }
    }
    return {};
}

Bytes protective_mbr(std::uint64_t disk_blocks) {
    Bytes sector(block_size_bytes);
    constexpr std::size_t entry = 446;
    sector[entry + 2] = std::byte{0x02};
    sector[entry + 4] = std::byte{0xEE};
    std::ranges::fill(MutableBytesView(sector).subspan(entry + 5, 3), std::byte{0xFF});
    store_le32(sector, entry + 8, 1);
    auto const count = std::min<std::uint64_t>(disk_blocks - 1, std::numeric_limits<std::uint32_t>::max());
    store_le32(sector, entry + 12, static_cast<std::uint32_t>(count));
    sector[510] = std::byte{0x55};
    sector[511] = std::byte{0xAA};
    return sector;
}

Bytes entries_of(std::vector<GptPartition> const& partitions) {
    Bytes entries(entry_count * entry_size);
    for (auto const& partition : partitions) {
        auto const entry = MutableBytesView(entries).subspan(
            static_cast<std::size_t>(partition.number) * entry_size, entry_size);
        std::ranges::copy(partition.type, entry.begin());
        std::ranges::copy(partition.guid, entry.begin() + 16);
        store_le64(entry, 32, partition.block_offset);
        store_le64(entry, 40, partition.block_offset + partition.block_count - 1);
        store_le64(entry, 48, partition.flags);
        for (std::size_t i = 0; i < partition.name.size(); ++i) {
            store_le16(entry, 56 + 2 * i, static_cast<std::uint16_t>(partition.name[i]));
        }
    }
    return entries;
}

struct HeaderPlace {
    std::uint64_t own_block = 0;
    std::uint64_t other_block = 0;
    std::uint64_t entries_block = 0;
};

Bytes header_of(GptSpec const& spec, HeaderPlace const& place, std::uint64_t disk_blocks,
                std::uint32_t entries_crc) {
    Bytes sector(block_size_bytes);
    std::ranges::copy(as_bytes("EFI PART"), sector.begin());
    store_le32(sector, 8, 0x00010000);
    store_le32(sector, 12, header_size);
    store_le64(sector, 24, place.own_block);
    store_le64(sector, 32, place.other_block);
    store_le64(sector, 40, table_blocks + 1);
    store_le64(sector, 48, disk_blocks - table_blocks - 1);
    std::ranges::copy(spec.guid, sector.begin() + 56);
    store_le64(sector, 72, place.entries_block);
    store_le32(sector, 80, entry_count);
    store_le32(sector, 84, entry_size);
    store_le32(sector, 88, entries_crc);
    store_le32(sector, 16, crc_of(BytesView(sector).first(header_size)));
    return sector;
}

/// One block is left free in front of the second table, as the original leaves it.
void expand(std::vector<GptPartition>& partitions, int number, std::uint64_t disk_blocks) {
    for (auto& partition : partitions) {
        auto const end = disk_blocks - table_blocks - 1;
        if (partition.number == number && end > partition.block_offset + partition.block_count) {
            partition.block_count = end - partition.block_offset;
        }
    }
}

} // namespace

std::uint64_t GptSpec::fewest_blocks() const {
    std::uint64_t end = table_blocks + 1;
    for (auto const& partition : partitions) {
        end = std::max(end, partition.block_offset + partition.block_count);
    }
    return end + table_blocks;
}

Result<GptSpec> gpt_spec(Section const& section) {
    GptSpec spec;
    TRY(spec.guid, guid_option(section, "guid", "the table"));
    for (auto const& child : section.sections) {
        if (child.schema->name != "partition") {
            continue;
        }
        TRY(auto partition, partition_from(child));
        if (std::ranges::find(spec.partitions, partition.number, &GptPartition::number) !=
            spec.partitions.end()) {
            return invalid("partition " + child.title + " is there twice");
        }
        if (child.boolean("expand")) {
            spec.expanding = partition.number;
        }
        spec.partitions.push_back(std::move(partition));
    }
    if (spec.partitions.empty()) {
        return invalid("the partition table is empty");
    }
    std::ranges::sort(spec.partitions, {}, &GptPartition::number);
    TRY_OK(check_overlaps(spec.partitions));
    auto const last = std::ranges::max(spec.partitions, {}, &GptPartition::block_offset).number;
    if (spec.expanding && *spec.expanding != last) {
        return invalid("only the last partition on the disk can expand, and that is " + std::to_string(last));
    }
    return spec;
}

Result<std::vector<DiskBlock>> encode_gpt(GptSpec const& spec, std::optional<std::uint64_t> disk_blocks,
                                          GptCopy first) {
    auto partitions = spec.partitions;
    // The original leaves a block free behind the last partition when it doesn't know the size.
    auto const blocks = disk_blocks.value_or(spec.fewest_blocks() + 1);
    if (blocks < spec.fewest_blocks()) {
        return failure(ErrorCode::no_space,
                       "the partitions and the two tables need " + std::to_string(spec.fewest_blocks()) +
                           " blocks, but the disk has " + std::to_string(blocks) + "; use a larger disk");
    }
    if (spec.expanding && disk_blocks) {
        expand(partitions, *spec.expanding, blocks);
    }
    auto const entries = entries_of(partitions);
    auto const crc = crc_of(entries);
    std::vector<DiskBlock> out;
    out.push_back({blocks - table_blocks, entries});
    out.push_back({blocks - 1, header_of(spec, {blocks - 1, 1, blocks - table_blocks}, blocks, crc)});
    out.push_back({2, entries});
    out.push_back({1, header_of(spec, {1, blocks - 1, 2}, blocks, crc)});
    if (first == GptCopy::at_beginning) {
        std::ranges::rotate(out, out.begin() + 2);
    }
    out.push_back({0, protective_mbr(blocks)});
    return out;
}

std::optional<std::string> gpt_flags_with_boot(std::string_view flags) {
    auto const value = flags.empty() ? std::optional<std::uint64_t>(0) : parse_number(flags);
    if (!value) {
        return std::nullopt;
    }
    std::array<char, 16> digits{};
    auto const written =
        std::to_chars(digits.data(), digits.data() + digits.size(), *value | legacy_bootable, 16);
    return "0x" + std::string(digits.data(), written.ptr);
}

} // namespace sinew::firmware
