/// Reads an entry that is stored in pieces: checks each before it is unpacked, and unpacks ahead on other
/// cores.
///
/// Invariant: no byte comes out of a piece whose checksum is wrong, and at most four pieces are in memory.
/// Threading: belongs to one thread.
#pragma once

#include "archive/notes.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sinew::firmware {

class PieceReader {
public:
    /// Where pieces come from.
    struct Archive {
        /// Fills its argument with what is stored next. Error corrupt: the archive ends before.
        std::function<Result<>(MutableBytesView)> take;
        /// Told that what was taken last was found good.
        std::function<void()> on_checked;
        /// The error for what was taken last, and the one for the entry as a whole.
        std::function<std::unexpected<Error>()> damaged_there;
        std::function<std::unexpected<Error>(std::string const& what)> damaged;
    };

    /// `method` is stored, deflate or zstd.
    PieceReader(std::uint16_t method, Checkpoints checkpoints, std::uint64_t content_bytes, Archive archive);
    PieceReader(PieceReader const&) = delete;
    PieceReader& operator=(PieceReader const&) = delete;
    ~PieceReader();

    /// Reads up to `into.size()` bytes of content; 0 means the end. Error corrupt: a piece is damaged.
    [[nodiscard]] Result<std::size_t> read(MutableBytesView into);
    /// Goes behind the last piece. What wasn't read is checked, but not unpacked.
    [[nodiscard]] Result<> skip_rest();

private:
    struct Slot;
    [[nodiscard]] std::size_t content_bytes_of(std::size_t piece) const;
    Result<> fetch(Bytes& stored);
    Result<> read_ahead();
    Result<> read_end();

    std::uint16_t m_method;
    Checkpoints m_checkpoints;
    std::uint64_t m_content_bytes;
    Archive m_archive;
    /// A ring: piece i is in slot i modulo their number.
    std::vector<std::unique_ptr<Slot>> m_slots;
    /// The next piece to fetch, and the one that is being read.
    std::size_t m_fetched = 0;
    std::size_t m_current = 0;
    /// How much of the current one was read.
    std::size_t m_read = 0;
    bool m_ended = false;
};

} // namespace sinew::firmware
