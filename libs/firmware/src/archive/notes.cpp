/// Writes and reads notes.
#include "archive/notes.hpp"

#include "archive/checksum.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sinew::firmware {

namespace {

enum class Kind : std::uint8_t { delta = 1, checkpoints = 2 };

constexpr std::size_t head_bytes = 3;
constexpr std::size_t delta_fixed_bytes = 8 + 32;

constexpr auto checkpoints_form = std::byte{1};
constexpr std::size_t checkpoints_fixed_bytes = 1 + 4 + 4;
constexpr std::size_t checkpoint_bytes = 8;
/// What a piece that doesn't compress may take more than its content.
constexpr std::uint32_t most_growth = 16u << 10;

void append(Bytes& notes, Kind kind, BytesView content) {
    std::array<std::byte, head_bytes> head{};
    head[0] = static_cast<std::byte>(kind);
    store_le16(head, 1, static_cast<std::uint16_t>(content.size()));
    notes.insert(notes.end(), head.begin(), head.end());
    notes.insert(notes.end(), content.begin(), content.end());
}

void for_each(BytesView notes, Kind wanted, std::function<void(BytesView)> const& take) {
    while (notes.size() >= head_bytes) {
        auto const size = load_le16(notes, 1);
        auto const kind = static_cast<Kind>(notes[0]);
        notes = notes.subspan(head_bytes);
        if (size > notes.size()) {
            return;
        }
        if (kind == wanted) {
            take(notes.first(size));
        }
        notes = notes.subspan(size);
    }
}

} // namespace

std::uint32_t piece_bytes_for(std::uint64_t content_bytes) {
    auto bytes = smallest_piece;
    while (bytes < largest_piece && content_bytes / bytes >= most_checkpoints) {
        bytes *= 2;
    }
    return bytes;
}

void append_note(Bytes& notes, DeltaNote const& note) {
    Bytes content(delta_fixed_bytes);
    store_le64(content, 0, note.source_bytes);
    std::ranges::copy(note.source_hash, content.begin() + 8);
    auto const name = as_bytes(note.name);
    content.insert(content.end(), name.begin(), name.end());
    append(notes, Kind::delta, content);
}

void append_note(Bytes& notes, Checkpoints const& checkpoints) {
    Bytes content(checkpoints_fixed_bytes + checkpoints.pieces.size() * checkpoint_bytes);
    content[0] = checkpoints_form;
    store_le32(content, 5, checkpoints.piece_bytes);
    auto at = checkpoints_fixed_bytes;
    for (auto const& piece : checkpoints.pieces) {
        store_le32(content, at, piece.stored_bytes);
        store_le32(content, at + 4, piece.crc);
        at += checkpoint_bytes;
    }
    store_le32(content, 1, crc32_of(BytesView(content).subspan(5)));
    append(notes, Kind::checkpoints, content);
}

std::vector<DeltaNote> delta_notes(BytesView notes) {
    std::vector<DeltaNote> found;
    for_each(notes, Kind::delta, [&](BytesView content) {
        if (content.size() < delta_fixed_bytes) {
            return;
        }
        DeltaNote note;
        note.source_bytes = load_le64(content, 0);
        std::ranges::copy(content.subspan(8, note.source_hash.size()), note.source_hash.begin());
        note.name = as_text(content.subspan(delta_fixed_bytes));
        found.push_back(std::move(note));
    });
    return found;
}

namespace {

/// Nothing if it makes no sense.
std::optional<Checkpoints> parse_checkpoints(BytesView content, std::uint64_t content_bytes) {
    if (content.size() < checkpoints_fixed_bytes || load_le32(content, 1) != crc32_of(content.subspan(5))) {
        return std::nullopt;
    }
    Checkpoints found;
    found.piece_bytes = load_le32(content, 5);
    content = content.subspan(checkpoints_fixed_bytes);
    auto const count = content.size() / checkpoint_bytes;
    if (found.piece_bytes == 0 || found.piece_bytes > largest_piece || count > most_checkpoints ||
        content.size() % checkpoint_bytes != 0 ||
        count != content_bytes / found.piece_bytes + (content_bytes % found.piece_bytes == 0 ? 0 : 1)) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < count; ++i) {
        auto const at = i * checkpoint_bytes;
        found.pieces.push_back({load_le32(content, at), load_le32(content, at + 4)});
        if (found.pieces.back().stored_bytes > found.piece_bytes + most_growth) {
            return std::nullopt;
        }
    }
    return found;
}

} // namespace

Result<std::optional<Checkpoints>> checkpoints(BytesView notes, std::uint64_t content_bytes) {
    std::optional<Checkpoints> found;
    bool is_damaged = false;
    for_each(notes, Kind::checkpoints, [&](BytesView content) {
        if (!content.empty() && content[0] == checkpoints_form) {
            found = parse_checkpoints(content, content_bytes);
            is_damaged = !found;
        }
    });
    if (is_damaged) {
        return failure(ErrorCode::corrupt, "its list of checksums is damaged");
    }
    return found;
}

} // namespace sinew::firmware
