/// Finds for a part of the target where in the source alike content lies.
///
/// Positions are sampled by their content (a rolling hash of the 64 bytes before them), so that what moved is
/// found wherever it went. Invariant: a vote is for 64 bytes that are really equal. Threading: const calls
/// from any thread.
#pragma once

#include "delta/segment_patch.hpp"

#include <sinew/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sinew::firmware {

class SourceIndex {
public:
    /// Borrows `source`, which has less than 4 GiB.
    explicit SourceIndex(BytesView source);
    /// The pieces of the source, in its order and at most `most_bytes` together, that have most in common
    /// with `target`.
    [[nodiscard]] std::vector<segment_patch::Piece> pieces_for(BytesView target,
                                                               std::uint32_t most_bytes) const;

private:
    [[nodiscard]] std::vector<std::uint32_t> votes_for(BytesView target) const;
    BytesView m_source;
    /// Position + 1 of a sample by its hash; 0: none.
    std::vector<std::uint32_t> m_positions;
};

} // namespace sinew::firmware
