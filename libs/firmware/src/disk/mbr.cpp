/// From an `mbr` section to sectors.
#include "disk/mbr.hpp"

#include "disk/osip.hpp"
#include "script/config.hpp"
#include "script/number.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/partition_table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::size_t bootstrap_size = 440;
constexpr int extended_number = 3;
constexpr int last_number = 11;
constexpr std::uint64_t heads = 255;
constexpr std::uint64_t sectors_per_track = 63;
constexpr std::uint64_t last_cylinder = 1023;
constexpr std::int64_t unset_count = std::numeric_limits<std::int32_t>::max();

std::unexpected<Error> invalid(std::string const& what) {
    return failure(ErrorCode::invalid_argument, what);
}

bool is_extended(std::uint8_t type) {
    return type == 0x05 || type == 0x0F || type == 0x85;
}

Result<Partition> partition_from(Section const& section, bool has_logical) {
    auto const number = parse_number(section.title);
    if (!number || *number > last_number) {
        return invalid("partition '" + section.title +
                       "' must be numbered 0 to 3, or 4 to 11 for logical ones");
    }
    Partition partition;
    partition.number = static_cast<int>(*number);
    auto const name = "partition " + section.title;
    auto const offset = parse_number(section.text("block-offset"));
    if (!offset || *offset >= std::numeric_limits<std::uint32_t>::max()) {
        return invalid(name + ": block-offset must be given and less than 2^32 - 1, not '" +
                       std::string(section.text("block-offset")) + "'");
    }
    partition.block_offset = *offset;
    auto const type = section.integer("type");
    if (type < 0 || type > 0xFF) {
        return invalid(name + ": type must be given and 0 to 255");
    }
    partition.type = static_cast<std::uint8_t>(type);
    partition.bootable = section.boolean("boot");
    auto const count = section.integer("block-count");
    bool const is_container = partition.number == extended_number && has_logical;
    if (is_container) {
        if (!is_extended(partition.type)) {
            return invalid("partition 3 must be of type 0x0f or 0x05, because there are logical partitions");
        }
        return partition; // its size follows from what is in it
    }
    if (count < 0 || count >= unset_count) {
        return invalid(name + ": block-count must be given and less than 2^31 - 1");
    }
    partition.block_count = static_cast<std::uint64_t>(count);
    return partition;
}

bool occupies(Partition const& partition) {
    return partition.type != 0 && partition.block_count > 0;
}

Result<> check_overlaps(std::span<Partition const> partitions) {
    for (std::size_t i = 0; i < partitions.size(); ++i) {
        for (std::size_t j = i + 1; j < partitions.size(); ++j) {
            auto const& a = partitions[i];
            auto const& b = partitions[j];
            if (occupies(a) && occupies(b) && a.block_offset < b.block_offset + b.block_count &&
                b.block_offset < a.block_offset + a.block_count) {
                return invalid("partitions " + std::to_string(a.number) + " and " + std::to_string(b.number) +
                               " overlap");
            }
        }
    }
    return {};
}

/// The extended partition, sized so that it holds the logical ones; nullptr if there are none.
Result<> size_extended(std::vector<Partition>& partitions) {
    auto const first_logical =
        std::ranges::find_if(partitions, [](Partition const& p) { return p.number > extended_number; });
    if (first_logical == partitions.end()) {
        return {};
    }
    auto const container = std::ranges::find(partitions, extended_number, &Partition::number);
    if (container == partitions.end()) {
        return invalid(
            "there are logical partitions (4 and up), but no partition 3 of type 0x0f to hold them");
    }
    std::vector<Partition> const logical(first_logical, partitions.end());
    auto const first_free = container->block_offset + logical.size(); // behind the EBRs
    std::uint64_t end = first_free;
    for (auto const& partition : logical) {
        auto const name = "partition " + std::to_string(partition.number);
        if (!occupies(partition)) {
            return invalid(name + ": a logical partition needs a type and a block-count");
        }
        if (partition.block_offset < first_free) {
            return invalid(name + ": must begin at block " + std::to_string(first_free) +
                           " or later; the extended partition needs one block for each logical one first");
        }
        end = std::max(end, partition.block_offset + partition.block_count);
    }
    container->block_count = end - container->block_offset;
    TRY_OK(check_overlaps(logical));
    return check_overlaps(std::span(partitions.begin(), first_logical));
}

void put_chs(std::uint64_t block, MutableBytesView out) {
    auto const cylinder = block / (heads * sectors_per_track);
    if (cylinder > last_cylinder) {
        return; // can't be said in this form, and nobody needs it
    }
    out[0] = static_cast<std::byte>((block / sectors_per_track) % heads);
    out[1] = static_cast<std::byte>((cylinder & 0x300) >> 2 | (block % sectors_per_track + 1));
    out[2] = static_cast<std::byte>(cylinder & 0xFF);
}

/// One 16-byte entry. `base` is what its block numbers count from.
void put_entry(Partition const& partition, std::uint64_t base, MutableBytesView out) {
    if (partition.type != 0) {
        out[0] = partition.bootable ? std::byte{0x80} : std::byte{0};
        put_chs(partition.block_offset, out.subspan(1));
        out[4] = std::byte{partition.type};
        put_chs(partition.block_offset + partition.block_count - (partition.block_count > 0 ? 1 : 0),
                out.subspan(5));
    }
    store_le32(out, 8, static_cast<std::uint32_t>(partition.block_offset - base));
    store_le32(out, 12, static_cast<std::uint32_t>(partition.block_count));
}

Bytes empty_table() {
    Bytes sector(block_size_bytes);
    sector[510] = std::byte{0x55};
    sector[511] = std::byte{0xAA};
    return sector;
}

MutableBytesView entry(Bytes& sector, std::size_t index) {
    return MutableBytesView(sector).subspan(446 + 16 * index, 16);
}

void expand(std::vector<Partition>& partitions, int number, std::uint64_t disk_blocks) {
    auto const limit = std::min<std::uint64_t>(disk_blocks, std::numeric_limits<std::uint32_t>::max());
    for (auto& partition : partitions) {
        if (partition.number == number && limit > partition.block_offset + partition.block_count) {
            partition.block_count = limit - partition.block_offset;
        }
    }
}

} // namespace

Result<MbrSpec> mbr_spec(Section const& section) {
    MbrSpec spec;
    if (auto const hex = section.text("bootstrap-code"); !hex.empty()) {
        auto code = from_hex(hex);
        if (!code || code->size() != bootstrap_size) {
            return invalid("bootstrap-code must be exactly 440 bytes in hexadecimal");
        }
        spec.bootstrap_code = *std::move(code);
    }
    if (section.boolean("include-osip")) {
        TRY(auto const osip, encode_osip(section));
        spec.bootstrap_code.resize(bootstrap_size);
        std::ranges::copy(osip, spec.bootstrap_code.begin());
    }
    if (auto const text = section.text("signature"); !text.empty()) {
        auto const signature = parse_number(text);
        if (!signature || *signature > std::numeric_limits<std::uint32_t>::max()) {
            return invalid("signature must be a 32-bit number, not '" + std::string(text.substr(0, 60)) +
                           "'");
        }
        spec.signature = static_cast<std::uint32_t>(*signature);
    }
    bool const has_logical = std::ranges::any_of(section.sections, [](Section const& child) {
        return child.schema->name == "partition" && parse_number(child.title).value_or(0) > extended_number;
    });
    for (auto const& child : section.sections) {
        if (child.schema->name != "partition") {
            continue;
        }
        TRY(auto const partition, partition_from(child, has_logical));
        if (std::ranges::find(spec.partitions, partition.number, &Partition::number) !=
            spec.partitions.end()) {
            return invalid("partition " + child.title + " is there twice");
        }
        spec.partitions.push_back(partition);
        if (child.boolean("expand")) {
            spec.expanding = partition.number;
        }
    }
    if (spec.partitions.empty()) {
        return invalid("the partition table is empty");
    }
    std::ranges::sort(spec.partitions, {}, &Partition::number);
    TRY_OK(size_extended(spec.partitions));
    if (!has_logical) {
        TRY_OK(check_overlaps(spec.partitions));
    }
    auto const last = std::ranges::max(spec.partitions, {}, [](Partition const& p) {
        return std::pair(p.block_offset + p.block_count, p.number);
    });
    if (spec.expanding && *spec.expanding != last.number) {
        return invalid("only the last partition on the disk can expand, and that is " +
                       std::to_string(last.number));
    }
    return spec;
}

Result<std::vector<DiskBlock>> encode_mbr(MbrSpec const& spec, std::optional<std::uint64_t> disk_blocks) {
    auto partitions = spec.partitions;
    if (spec.expanding && disk_blocks) {
        expand(partitions, *spec.expanding, *disk_blocks);
        TRY_OK(size_extended(partitions));
    }
    std::vector<DiskBlock> blocks;
    auto const first_logical =
        std::ranges::find_if(partitions, [](Partition const& p) { return p.number > extended_number; });
    std::vector<Partition> const logical(first_logical, partitions.end());
    auto const container = std::ranges::find(partitions, extended_number, &Partition::number);
    for (std::size_t i = 0; i < logical.size(); ++i) {
        auto const ebr = container->block_offset + i;
        auto sector = empty_table();
        put_entry(logical[i], ebr, entry(sector, 0));
        if (i + 1 < logical.size()) {
            auto const& next = logical[i + 1];
            Partition link;
            link.type = 0x05;
            link.block_offset = ebr + 1;
            link.block_count = next.block_offset + next.block_count - link.block_offset;
            put_entry(link, container->block_offset, entry(sector, 1));
        }
        blocks.push_back({ebr, std::move(sector)});
    }
    auto sector = empty_table();
    std::ranges::copy(spec.bootstrap_code, sector.begin());
    store_le32(sector, bootstrap_size, spec.signature);
    for (auto const& partition : std::span(partitions.begin(), first_logical)) {
        put_entry(partition, 0, entry(sector, static_cast<std::size_t>(partition.number)));
    }
    blocks.push_back({0, std::move(sector)});
    return blocks;
}

} // namespace sinew::firmware
