/// Packs one resource.
#include "create/host_file.hpp"

#include "archive/hash.hpp"
#include "archive/output_file.hpp"
#include "archive/piece_packer.hpp"
#include "archive/zip_format.hpp"
#include "null_device.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/create.hpp>
#include <sinew/firmware/io.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::size_t piece_size = 256u << 10;
constexpr std::size_t most_map_entries = 256;

/// Appends a run of data or of a hole; even places hold data.
void append_run(std::vector<std::uint64_t>& pieces, bool is_hole, std::uint64_t length) {
    if (length == 0) {
        return;
    }
    bool const ends_in_hole = !pieces.empty() && pieces.size() % 2 == 0;
    if (!pieces.empty() && ends_in_hole == is_hole) {
        pieces.back() += length;
        return;
    }
    if (pieces.empty() && is_hole) {
        pieces.push_back(0);
    }
    pieces.push_back(length);
}

/// Where the holes of a file are; one run of data if the file system can't tell. What doesn't fit into
/// `most_entries` is data.
std::vector<std::uint64_t> map_of(FileDescriptor const& file, std::uint64_t size, std::size_t most_entries) {
    std::vector<std::uint64_t> pieces;
    std::uint64_t at = 0;
    while (at < size) {
        auto const data = ::lseek(file.get(), static_cast<off_t>(at), SEEK_DATA);
        if (data < 0) {
            if (errno != ENXIO) {
                pieces.assign({size});
                break;
            }
            append_run(pieces, true, size - at);
            break;
        }
        append_run(pieces, true, static_cast<std::uint64_t>(data) - at);
        auto const hole = ::lseek(file.get(), data, SEEK_HOLE);
        auto const end = hole < 0 ? size : std::min(static_cast<std::uint64_t>(hole), size);
        append_run(pieces, false, end - static_cast<std::uint64_t>(data));
        at = end;
    }
    if (pieces.size() > most_entries) {
        pieces.resize((most_entries - 1) / 2 * 2);
        pieces.push_back(size - std::accumulate(pieces.begin(), pieces.end(), std::uint64_t{0}));
    }
    return pieces;
}

class Packer {
public:
    /// Whether more files of the resource follow.
    enum class Position : std::uint8_t { last, followed };

    /// About `content_bytes` will come.
    Packer(PackOptions const& options, std::uint64_t content_bytes, PackedResource& packed)
        : m_options(options)
        , m_packed(packed) {
        if (options.packing == Packing::compress) {
            PieceOptions pieces;
            pieces.method = options.compression == Compression::zstd ? zip::method_zstd : zip::method_deflate;
            pieces.level = options.compression_level;
            pieces.content_bytes = content_bytes;
            pieces.cores = options.cores;
            m_packer.emplace(pieces, [this](BytesView stored) { return write_all(m_packed.spool, stored); });
        }
    }

    Result<> take(BytesView bytes) {
        m_hash.update(bytes);
        if (m_packer) {
            TRY_OK(m_packer->feed(bytes));
        }
        if (m_options.on_bytes) {
            m_options.on_bytes(bytes.size());
        }
        return {};
    }

    /// A disk is written by blocks, so holes are only left out where they begin and end with blocks.
    [[nodiscard]] bool keeps_holes_aligned(std::uint64_t file_size, Position position) const {
        return m_packed.size_bytes() % block_size_bytes == 0 &&
               (position == Position::last || file_size % block_size_bytes == 0);
    }

    Result<> take_file(std::filesystem::path const& path, bool skip_holes, Position position) {
        TRY(auto const file, open_file(path, O_RDONLY));
        struct stat status{};
        if (::fstat(file.get(), &status) != 0) {
            return std::unexpected(error_from_errno(errno, path.string() + ": can't examine it"));
        }
        if (!S_ISREG(status.st_mode) && !is_null_device(status)) {
            return failure(ErrorCode::invalid_argument,
                           path.string() +
                               ": isn't a regular file; name one, or /dev/null for an empty resource");
        }
        auto const size = static_cast<std::uint64_t>(status.st_size);
        // With an odd number the map ends in data, which the next file can go on with.
        auto const most_entries = position == Position::last ? most_map_entries : most_map_entries - 1;
        auto const room = most_entries - std::min(most_entries - 1, m_packed.pieces.size());
        auto const pieces = skip_holes && keeps_holes_aligned(size, position)
                                ? map_of(file, size, room)
                                : std::vector<std::uint64_t>{size};
        std::uint64_t at = 0;
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            if (i % 2 == 0) {
                TRY_OK(take_range(file, path, at, pieces[i]));
            }
            append_run(m_packed.pieces, i % 2 == 1, pieces[i]);
            at += pieces[i];
        }
        return {};
    }

    Result<> finish() {
        if (m_packer) {
            TRY_OK(m_packer->finish());
            m_packed.sums = m_packer->sums();
            m_packed.method = m_packer->method();
            m_packed.notes = m_packer->notes();
        }
        m_packed.blake2b_256 = m_hash.finish_hex();
        if (m_packed.pieces.empty()) {
            m_packed.pieces.push_back(0);
        }
        return {};
    }

private:
    Result<> take_range(FileDescriptor const& file, std::filesystem::path const& path, std::uint64_t offset,
                        std::uint64_t length) {
        m_buffer.resize(piece_size);
        while (length > 0) {
            auto const count = static_cast<std::size_t>(std::min<std::uint64_t>(length, m_buffer.size()));
            auto const piece = MutableBytesView(m_buffer).first(count);
            if (auto done = read_exactly_at(file, piece, offset); !done) {
                return std::unexpected(std::move(done).error().with_context(path.string()));
            }
            TRY_OK(take(piece));
            offset += count;
            length -= count;
        }
        return {};
    }

    PackOptions const& m_options;
    PackedResource& m_packed;
    std::optional<PiecePacker> m_packer;
    Blake2b256 m_hash;
    Bytes m_buffer;
};

/// Holes included, so that it doesn't depend on how a file system keeps them.
std::uint64_t bytes_to_come(ResourceSource const& source) {
    std::uint64_t total = source.contents.size();
    for (auto const& file : source.files) {
        std::error_code error;
        auto const size = std::filesystem::file_size(file, error);
        total += error ? 0 : size;
    }
    return total;
}

} // namespace

std::uint64_t PackedResource::size_bytes() const {
    std::uint64_t total = 0;
    for (auto const piece : pieces) {
        total += piece;
    }
    return total;
}

Result<PackedResource> pack_resource(ResourceSource const& source, PackOptions const& options) {
    PackedResource packed;
    if (options.packing == Packing::compress) {
        TRY(packed.spool, unnamed_file(options.beside));
    }
    Packer packer(options, bytes_to_come(source), packed);
    if (source.files.empty()) {
        TRY_OK(packer.take(as_bytes(source.contents)));
        packed.pieces.push_back(source.contents.size());
    }
    for (auto const& file : source.files) {
        auto const position =
            &file == &source.files.back() ? Packer::Position::last : Packer::Position::followed;
        TRY_OK(packer.take_file(file, source.skip_holes, position));
    }
    TRY_OK(packer.finish());
    return packed;
}

} // namespace sinew::firmware
