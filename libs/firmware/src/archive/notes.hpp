/// Notes: what we add to an entry of an archive, in an extra field of its local header.
///
/// Readers that don't know them pass over them, and the signature doesn't cover them: they only help to find
/// trouble early. What counts in the end is the BLAKE2b-256 in meta.conf. A note is a u8 kind, a u16 length
/// and that many bytes; unknown kinds are passed over. Threading: values and free functions.
#pragma once

#include "archive/hash.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sinew::firmware {

/// Beside meta.conf: resource `name` comes as a patch, made for exactly these bytes.
struct DeltaNote {
    std::string name;
    std::uint64_t source_bytes = 0;
    Blake2b256::Digest source_hash{};
};

/// Beside an entry: the pieces that it is stored in, so that each can be checked before it is used, and
/// inflated alone. Of deflate, a last block follows them (archive/deflate_encoder.hpp).
struct Checkpoints {
    struct Piece {
        std::uint32_t stored_bytes = 0;
        /// Of what is stored. It finds what was damaged on the way; against intent there is the signature.
        std::uint32_t crc = 0;
    };
    /// What every piece but the last holds.
    std::uint32_t piece_bytes = 0;
    std::vector<Piece> pieces;
};

/// Smaller pieces compress less; larger ones take more memory to read.
inline constexpr std::uint32_t smallest_piece = 512u << 10;
inline constexpr std::uint32_t largest_piece = 4u << 20;
/// As many as an extra field has room for.
inline constexpr std::size_t most_checkpoints = 7168;

/// How large the pieces of `content_bytes` should be: more content, larger pieces.
[[nodiscard]] std::uint32_t piece_bytes_for(std::uint64_t content_bytes);

void append_note(Bytes& notes, DeltaNote const& note);
void append_note(Bytes& notes, Checkpoints const& checkpoints);
/// What is damaged is left out.
[[nodiscard]] std::vector<DeltaNote> delta_notes(BytesView notes);
/// The checkpoints of an entry of `content_bytes`, if it has some that this release knows. Error corrupt:
/// they are damaged, or not those of this entry.
[[nodiscard]] Result<std::optional<Checkpoints>> checkpoints(BytesView notes, std::uint64_t content_bytes);

} // namespace sinew::firmware
