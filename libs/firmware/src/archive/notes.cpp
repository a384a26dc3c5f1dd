/// Writes and reads notes. See the header for form and threading.
#include "archive/notes.hpp"

#include <sinew/base/bytes.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sinew::firmware {

namespace {

enum class Kind : std::uint8_t { delta = 1, checkpoints = 2 };

constexpr std::size_t head_bytes = 3;
constexpr std::size_t delta_fixed_bytes = 8 + 32;

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

void append_note(Bytes& notes, DeltaNote const& note) {
    Bytes content(delta_fixed_bytes);
    store_le64(content, 0, note.source_bytes);
    std::ranges::copy(note.source_hash, content.begin() + 8);
    auto const name = as_bytes(note.name);
    content.insert(content.end(), name.begin(), name.end());
    append(notes, Kind::delta, content);
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

} // namespace sinew::firmware
