#include "boot_readers.hpp"

#include <sinew/base/bytes.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::firmware::test {

namespace {

constexpr std::size_t sector_bytes = 512;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        table[i] = i;
        for (int bit = 0; bit < 8; ++bit) {
            table[i] = table[i] >> 1u ^ ((table[i] & 1u) != 0 ? 0xEDB88320u : 0);
        }
    }
    return table;
}
constexpr auto crc_table = make_crc_table();

std::uint8_t byte_at(BytesView bytes, std::size_t at) {
    return std::to_integer<std::uint8_t>(bytes[at]);
}

/// One copy of a U-Boot environment.
struct EnvironmentCopy {
    std::uint8_t flag = 0;
    Variables variables;
};

std::optional<EnvironmentCopy> read_copy(BytesView bytes) {
    if (load_le32(bytes, 0) != plain_crc32(bytes.subspan(5))) {
        return std::nullopt;
    }
    EnvironmentCopy copy{byte_at(bytes, 4), {}};
    auto text = as_text(bytes.subspan(5));
    while (!text.empty() && text.front() != '\0') {
        auto const line = text.substr(0, text.find('\0'));
        auto const equals = line.find('=');
        copy.variables[std::string(line.substr(0, equals))] = line.substr(equals + 1);
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return copy;
}

struct Fat {
    BytesView table;
    BytesView root;
    BytesView data;
    std::size_t cluster_bytes = 0;
    std::size_t clusters = 0;
    [[nodiscard]] std::size_t next(std::size_t cluster) const {
        if (clusters >= 4085) {
            return load_le16(table, cluster * 2);
        }
        auto const pair = load_le16(table, cluster * 3 / 2);
        return cluster % 2 == 0 ? pair & 0xFFFu : pair >> 4u;
    }
};

std::optional<Fat> open_fat(BytesView bytes) {
    if (bytes.size() < sector_bytes || load_le16(bytes, 510) != 0xAA55 || load_le16(bytes, 11) != 512) {
        return std::nullopt;
    }
    auto const cluster_sectors = byte_at(bytes, 13);
    auto const reserved = load_le16(bytes, 14);
    auto const table_sectors = load_le16(bytes, 22);
    auto const root_sectors = load_le16(bytes, 17) * 32u / sector_bytes;
    auto const total = load_le16(bytes, 19) != 0 ? load_le16(bytes, 19) : load_le32(bytes, 32);
    auto const root = reserved + std::size_t{byte_at(bytes, 16)} * table_sectors;
    auto const data = root + root_sectors;
    if (cluster_sectors == 0 || table_sectors == 0 || data > total || total * sector_bytes > bytes.size()) {
        return std::nullopt;
    }
    return Fat{bytes.subspan(reserved * sector_bytes, table_sectors * sector_bytes),
               bytes.subspan(root * sector_bytes, root_sectors * sector_bytes),
               bytes.subspan(data * sector_bytes, (total - data) * sector_bytes),
               cluster_sectors * sector_bytes, (total - data) / cluster_sectors};
}

/// "GRUB    CFG" -> "grub.cfg"
std::string short_name(std::string_view field) {
    auto const part = [&](std::size_t at, std::size_t length) {
        auto text = std::string(field.substr(at, length));
        text.erase(text.find_last_not_of(' ') + 1);
        std::ranges::transform(text, text.begin(),
                               [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        return text;
    };
    auto const suffix = part(8, 3);
    return part(0, 8) + (suffix.empty() ? "" : "." + suffix);
}

/// The part of a long name that one entry holds, ASCII only.
std::string long_name_part(BytesView entry) {
    std::string text;
    for (std::size_t const at : {1u, 3u, 5u, 7u, 9u, 14u, 16u, 18u, 20u, 22u, 24u, 28u, 30u}) {
        auto const unit = load_le16(entry, at);
        if (unit == 0 || unit == 0xFFFF) {
            break;
        }
        text += static_cast<char>(unit);
    }
    return text;
}

std::optional<Bytes> read_chain(Fat const& fat, std::size_t cluster, std::size_t size) {
    Bytes content;
    while (content.size() < size) {
        if (cluster < 2 || cluster >= fat.clusters + 2) {
            return std::nullopt;
        }
        auto const bytes = fat.data.subspan((cluster - 2) * fat.cluster_bytes, fat.cluster_bytes);
        auto const count = std::min(size - content.size(), bytes.size());
        content.insert(content.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
        cluster = fat.next(cluster);
    }
    return content;
}

std::optional<std::vector<TableEntry>> read_gpt_copy(BytesView disk, std::uint64_t block) {
    constexpr std::size_t header_bytes = 92;
    auto const sector = disk.subspan(block * sector_bytes, sector_bytes);
    Bytes header(sector.begin(), sector.begin() + header_bytes);
    auto const stored_crc = load_le32(header, 16);
    store_le32(header, 16, 0);
    if (as_text(sector.first(8)) != "EFI PART" || load_le32(header, 12) != header_bytes ||
        plain_crc32(header) != stored_crc || load_le64(header, 24) != block) {
        return std::nullopt;
    }
    auto const entries = disk.subspan(load_le64(header, 72) * sector_bytes, std::size_t{128} * 128);
    if (plain_crc32(entries) != load_le32(header, 88)) {
        return std::nullopt;
    }
    std::vector<TableEntry> out;
    for (std::size_t at = 0; at < 4u * 128; at += 128) {
        auto const first = load_le64(entries, at + 32);
        out.push_back({first, first == 0 ? 0 : load_le64(entries, at + 40) + 1,
                       (load_le64(entries, at + 48) & 4u) != 0});
    }
    return out;
}

} // namespace

std::uint32_t plain_crc32(BytesView bytes) {
    std::uint32_t crc = 0xFFFFFFFF;
    for (auto const byte : bytes) {
        crc = crc >> 8u ^ crc_table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFFu];
    }
    return ~crc;
}

Variables read_grub_block(BytesView block) {
    constexpr std::string_view signature = "# GRUB Environment Block\n";
    Variables variables;
    auto text = as_text(block);
    if (!text.starts_with(signature)) {
        return variables;
    }
    text.remove_prefix(signature.size());
    while (!text.empty()) {
        auto const end = text.find('\n');
        if (text.front() != '#') {
            // A name reaches up to the next '=', wherever that is; a value up to the end of its line.
            auto const equals = text.find('=');
            auto const value_end = equals == std::string_view::npos ? equals : text.find('\n', equals);
            if (value_end == std::string_view::npos) {
                return variables;
            }
            variables[std::string(text.substr(0, equals))] = text.substr(equals + 1, value_end - equals - 1);
            text.remove_prefix(value_end + 1);
        } else if (end == std::string_view::npos) {
            return variables;
        } else {
            text.remove_prefix(end + 1);
        }
    }
    return variables;
}

std::optional<Variables> read_uboot_environment(BytesView first, BytesView second) {
    auto one = read_copy(first);
    auto two = read_copy(second);
    if (!one && !two) {
        return std::nullopt;
    }
    auto const difference = one && two ? static_cast<std::uint8_t>(two->flag - one->flag) : 0;
    bool const is_second_newer = difference >= 1 && difference <= 127;
    return two && (!one || is_second_newer) ? two->variables : one->variables;
}

std::optional<Bytes> read_fat_file(BytesView file_system, std::string_view name) {
    auto const fat = open_fat(file_system);
    if (!fat) {
        return std::nullopt;
    }
    std::string long_name;
    for (std::size_t at = 0; at < fat->root.size(); at += 32) {
        auto const entry = fat->root.subspan(at, 32);
        auto const first = byte_at(entry, 0);
        auto const attributes = byte_at(entry, 11);
        if (first == 0) {
            break;
        }
        if (first == 0xE5) {
            long_name.clear();
        } else if (attributes == 0x0F) {
            long_name.insert(0, long_name_part(entry)); // the last part comes first
        } else {
            auto const found = long_name.empty() ? short_name(as_text(entry).substr(0, 11)) : long_name;
            if (found == name && (attributes & 0x18u) == 0) {
                return read_chain(*fat, load_le16(entry, 26), load_le32(entry, 28));
            }
            long_name.clear();
        }
    }
    return std::nullopt;
}

std::optional<std::vector<TableEntry>> read_mbr_entries(BytesView disk) {
    if (load_le16(disk, 510) != 0xAA55) {
        return std::nullopt;
    }
    std::vector<TableEntry> entries;
    for (std::size_t at = 446; at < 510; at += 16) {
        auto const first = load_le32(disk, at + 8);
        entries.push_back(
            {first, std::uint64_t{first} + load_le32(disk, at + 12), byte_at(disk, at) == 0x80});
    }
    return entries;
}

std::optional<std::vector<TableEntry>> read_gpt_entries(BytesView disk) {
    auto entries = read_gpt_copy(disk, 1);
    return entries ? entries : read_gpt_copy(disk, disk.size() / sector_bytes - 1);
}

} // namespace sinew::firmware::test
