/// Notes: what we add to an entry of an archive, in an extra field of its local header.
///
/// Readers that don't know them pass over them, and the signature doesn't cover them: they only help to find
/// trouble early. What counts in the end is the BLAKE2b-256 in meta.conf. A note is a u8 kind, a u16 length
/// and that many bytes; unknown kinds are passed over. Threading: values and free functions.
#pragma once

#include "archive/hash.hpp"

#include <sinew/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sinew::firmware {

/// Beside meta.conf: resource `name` comes as a patch, made for exactly these bytes.
struct DeltaNote {
    std::string name;
    std::uint64_t source_bytes = 0;
    Blake2b256::Digest source_hash{};
};

void append_note(Bytes& notes, DeltaNote const& note);
/// What is damaged is left out.
[[nodiscard]] std::vector<DeltaNote> delta_notes(BytesView notes);

} // namespace sinew::firmware
