/// Sources of patches on the device.
#include "apply/delta_input.hpp"

#include "archive/hash.hpp"
#include "archive/notes.hpp"
#include "delta/decrypted_source.hpp"
#include "delta/source.hpp"
#include "disk/sector_cipher.hpp"
#include "fat/volume.hpp"
#include "script/config.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::size_t hash_piece_bytes = 128u << 10;

std::unexpected<Error> wrong_source(std::string const& resource, std::string const& why) {
    return failure(ErrorCode::unavailable, "the patch for resource '" + resource + "' can't be applied: " +
                                               why + "; use the full archive; nothing was written");
}

Result<Blake2b256::Digest> hash_beginning(DeltaSource& source, std::uint64_t size) {
    Blake2b256 hash;
    Bytes buffer(hash_piece_bytes);
    for (std::uint64_t at = 0; at < size;) {
        auto const piece = MutableBytesView(buffer).first(
            static_cast<std::size_t>(std::min<std::uint64_t>(size - at, buffer.size())));
        TRY_OK(source.read_at(at, piece));
        hash.update(piece);
        at += piece.size();
    }
    return hash.finish();
}

} // namespace

Result<std::unique_ptr<DeltaSource>> open_delta_source(Section const& on_resource, BlockDevice& disk) {
    auto const raw_offset = on_resource.integer("delta-source-raw-offset");
    auto const raw_count = on_resource.integer("delta-source-raw-count");
    if (raw_offset >= 0 && raw_count > 0) {
        std::vector<DiskExtent> extents{{static_cast<std::uint64_t>(raw_offset) * block_size_bytes,
                                         static_cast<std::uint64_t>(raw_count) * block_size_bytes}};
        auto source = std::make_unique<DiskSource>(disk, std::move(extents));
        std::string const options(on_resource.text("delta-source-raw-options"));
        if (options.empty()) {
            return source;
        }
        TRY(auto cipher, SectorCipher::create(std::span(&options, 1)));
        return std::make_unique<DecryptedSource>(std::move(source), std::move(cipher));
    }
    auto const fat_offset = on_resource.integer("delta-source-fat-offset");
    auto const path = on_resource.text("delta-source-fat-path");
    if (fat_offset < 0 || path.empty()) {
        return nullptr;
    }
    auto volume = FatVolume::mount(disk, static_cast<std::uint64_t>(fat_offset));
    auto extents = volume ? volume->extents_of(path) : std::unexpected(std::move(volume).error());
    if (!extents) {
        return failure(ErrorCode::unavailable,
                       "the old '" + std::string(path) + "' can't be read: " + extents.error().message());
    }
    return std::make_unique<DiskSource>(disk, *std::move(extents));
}

Result<> check_delta_sources(Section const& task, std::span<DeltaNote const> notes, BlockDevice& disk) {
    for (auto const& note : notes) {
        auto const* const event = task.find_section("on-resource", note.name);
        if (event == nullptr) {
            continue;
        }
        auto source = open_delta_source(*event, disk);
        if (!source) {
            return wrong_source(note.name, source.error().message());
        }
        if (*source == nullptr) {
            return wrong_source(note.name,
                                "task '" + task.title + "' doesn't say what it is to be applied to");
        }
        if ((*source)->size_bytes() < note.source_bytes) {
            return wrong_source(note.name, "what is on the device is smaller than what it was made for");
        }
        TRY(auto const hash, hash_beginning(**source, note.source_bytes));
        if (hash != note.source_hash) {
            return wrong_source(note.name, "the device holds something else than what it was made for");
        }
    }
    return {};
}

} // namespace sinew::firmware
