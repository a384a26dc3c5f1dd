/// Paths and files.
#include "fat/volume.hpp"

#include "fat/directory.hpp"
#include "fat/layout.hpp"
#include "fat/name.hpp"
#include "fat/table.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

namespace {

std::unexpected<Error> path_failure(ErrorCode code, std::string_view path, std::string const& what) {
    return failure(code, "'" + std::string(path.substr(0, 120)) + "' on the FAT file system " + what);
}

} // namespace

Result<FatVolume> FatVolume::mount(BlockDevice& disk, std::uint64_t first_block) {
    TRY(auto const layout, read_fat_layout(disk, first_block));
    return FatVolume(std::make_unique<FatContext>(
        FatContext{&disk, first_block, layout, FatTable(disk, first_block, layout)}));
}

Result<FatVolume::Place> FatVolume::locate(std::string_view path) {
    TRY(auto parts, split_path(path));
    TRY(auto directory, FatDirectory::load(*m_context, 0));
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        TRY(auto const entry, directory.find(parts[i]));
        if (!entry || !entry->is_directory()) {
            return path_failure(ErrorCode::not_found, path,
                                "has no directory to be in; make it with fat_mkdir first");
        }
        TRY(directory, FatDirectory::load(*m_context, entry->first_cluster));
    }
    TRY(auto entry, directory.find(parts.back()));
    return Place{std::move(directory), std::move(parts.back()), std::move(entry)};
}

Result<bool> FatVolume::exists(std::string_view path) {
    auto const place = locate(path);
    if (!place) {
        if (place.error().code() == ErrorCode::not_found) {
            return false;
        }
        return failure(place.error().code(), place.error().message());
    }
    return place->entry.has_value();
}

Result<FatFileWriter> FatVolume::create_file(std::string_view path) {
    TRY(auto place, locate(path));
    if (!place.entry) {
        TRY(auto entry, place.directory.add(place.name, fat_attribute::archive, 0));
        return FatFileWriter(*m_context, std::move(place.directory), std::move(entry));
    }
    auto& entry = *place.entry;
    if (entry.is_directory()) {
        return path_failure(ErrorCode::exists, path, "is a directory, not a file");
    }
    auto const old_cluster = std::exchange(entry.first_cluster, 0);
    entry.size_bytes = 0;
    TRY_OK(place.directory.update(entry));
    if (old_cluster != 0) {
        TRY_OK(m_context->table.release(old_cluster));
    }
    return FatFileWriter(*m_context, std::move(place.directory), std::move(entry));
}

Result<FatFileReader> FatVolume::open_file(std::string_view path) {
    TRY(auto const place, locate(path));
    if (!place.entry || place.entry->is_directory()) {
        return path_failure(ErrorCode::not_found, path, "doesn't exist, or is a directory");
    }
    return FatFileReader(*m_context, *place.entry);
}

Result<> FatVolume::touch(std::string_view path) {
    TRY(auto place, locate(path));
    if (!place.entry) {
        TRY_OK(place.directory.add(place.name, fat_attribute::archive, 0));
        return m_context->table.flush();
    }
    return {};
}

Result<> FatVolume::make_directory(std::string_view path) {
    TRY(auto place, locate(path));
    if (place.entry) {
        return place.entry->is_directory()
                   ? Result<>{}
                   : path_failure(ErrorCode::exists, path, "is a file, so it can't be made a directory");
    }
    TRY(auto const cluster, m_context->table.allocate(std::nullopt));
    TRY(auto made, FatDirectory::load(*m_context, cluster));
    TRY(auto const parts, split_path(path));
    std::uint32_t parent = 0; // 0 means the root, on FAT32 too
    TRY(auto above, FatDirectory::load(*m_context, 0));
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        TRY(auto const entry, above.find(parts[i]));
        parent = entry ? entry->first_cluster : 0;
        TRY(above, FatDirectory::load(*m_context, parent));
    }
    TRY_OK(made.initialise(cluster, parent));
    TRY_OK(place.directory.add(place.name, fat_attribute::directory, cluster));
    return m_context->table.flush();
}

Result<> FatVolume::remove(std::string_view path, Missing missing) {
    auto const nothing_there = [&]() -> Result<> {
        return missing == Missing::accepted
                   ? Result<>{}
                   : path_failure(ErrorCode::not_found, path, "can't be removed: it doesn't exist");
    };
    auto located = locate(path);
    if (!located && located.error().code() == ErrorCode::not_found) {
        return nothing_there(); // not even the directory that it would be in
    }
    TRY(auto place, std::move(located));
    if (!place.entry) {
        return nothing_there();
    }
    if (place.entry->is_directory()) {
        TRY(auto const content, FatDirectory::load(*m_context, place.entry->first_cluster));
        if (!content.is_empty()) {
            return path_failure(ErrorCode::exists, path, "can't be removed: the directory isn't empty");
        }
    }
    TRY_OK(place.directory.remove(*place.entry));
    if (place.entry->first_cluster != 0) {
        TRY_OK(m_context->table.release(place.entry->first_cluster));
    }
    return m_context->table.flush();
}

Result<> FatVolume::rename(std::string_view from, std::string_view to, Existing existing) {
    TRY(auto const source, locate(from));
    if (!source.entry) {
        return path_failure(ErrorCode::not_found, from, "can't be renamed: it doesn't exist");
    }
    TRY(auto const target, locate(to));
    if (target.entry && target.entry->slot == source.entry->slot &&
        target.entry->first_cluster == source.entry->first_cluster && same_name(target.name, source.name)) {
        return {};
    }
    if (target.entry) {
        if (existing == Existing::kept) {
            return path_failure(ErrorCode::exists, to, "is there already; use fat_mv! to replace it");
        }
        TRY_OK(remove(to, Missing::accepted));
    }
    TRY(auto place, locate(to));
    TRY(auto entry, place.directory.add(place.name, source.entry->attributes, source.entry->first_cluster));
    entry.size_bytes = source.entry->size_bytes;
    TRY_OK(place.directory.update(entry));
    TRY(auto again, locate(from));
    if (again.entry) {
        TRY_OK(again.directory.remove(*again.entry));
    }
    return m_context->table.flush();
}

Result<> FatVolume::copy_from(FatVolume& source, std::string_view from, std::string_view to) {
    TRY(auto reader, source.open_file(from));
    if (&source == this) {
        TRY(auto const origin, locate(from));
        TRY(auto const target, locate(to));
        if (target.entry && origin.entry && target.entry->first_cluster == origin.entry->first_cluster &&
            target.entry->slot == origin.entry->slot) {
            return {};
        }
    }
    TRY(auto writer, create_file(to));
    std::array<std::byte, 4096> buffer{};
    while (true) {
        TRY(auto const count, reader.read(buffer));
        if (count == 0) {
            return writer.finish();
        }
        TRY_OK(writer.write(BytesView(buffer).first(count)));
    }
}

Result<> FatVolume::set_label(std::string_view label) {
    TRY(auto const name, volume_label(label));
    TRY(auto root, FatDirectory::load(*m_context, 0));
    auto const existing = root.find_label();
    if (label.empty()) {
        if (existing) {
            TRY_OK(root.remove(*existing));
        }
    } else if (existing) {
        TRY_OK(root.set_short_name(existing->slot, name));
    } else {
        TRY_OK(root.add_label(name));
    }
    // The boot sector has a copy, which some tools compare.
    auto const& layout = m_context->layout;
    std::size_t const at = layout.type == FatType::fat32 ? 71 : 43;
    auto const text =
        label.empty() ? std::string_view("NO NAME    ") : std::string_view(name.data(), name.size());
    std::array<std::uint32_t, 2> const copies{0, layout.type == FatType::fat32 ? 6u : 0u};
    for (auto const sector : copies) {
        std::array<std::byte, block_size_bytes> boot{};
        auto const position = (m_context->first_block + sector) * block_size_bytes;
        TRY_OK(m_context->disk->read_at(position, boot));
        if (boot[at - 5] == std::byte{0x29}) {
            std::ranges::copy(as_bytes(text), boot.begin() + static_cast<std::ptrdiff_t>(at));
            TRY_OK(m_context->disk->write_at(position, boot));
        }
    }
    return m_context->table.flush();
}

Result<> FatVolume::set_attributes(std::string_view path, std::string_view attributes) {
    TRY(auto place, locate(path));
    if (!place.entry) {
        return path_failure(ErrorCode::not_found, path, "doesn't exist");
    }
    auto& entry = *place.entry;
    entry.attributes = static_cast<std::uint8_t>(
        entry.attributes & ~(fat_attribute::read_only | fat_attribute::hidden | fat_attribute::system));
    for (char const letter : attributes) {
        switch (letter) {
        case 'R':
        case 'r':
            entry.attributes |= fat_attribute::read_only;
            break;
        case 'H':
        case 'h':
            entry.attributes |= fat_attribute::hidden;
            break;
        case 'S':
        case 's':
            entry.attributes |= fat_attribute::system;
            break;
        default:
            return failure(ErrorCode::invalid_argument, std::string("fat_attrib(): unknown attribute '") +
                                                            letter + "'; use any of R, H and S");
        }
    }
    return place.directory.update(entry);
}

} // namespace sinew::firmware
