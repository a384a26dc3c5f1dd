/// Walks through the pieces of a resource.
#include "apply/resource_pieces.hpp"

#include "archive/resource_stream.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace sinew::firmware {

Result<> for_each_piece(ResourceStream& resource, MutableBytesView buffer, TakeData const& data,
                        TakeHole const& hole) {
    auto const& pieces = resource.spec().pieces;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (i % 2 == 1) {
            TRY_OK(hole(pieces[i]));
            continue;
        }
        for (auto left = pieces[i]; left > 0;) {
            auto const want = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
            TRY(auto const count, resource.read(buffer.first(want)));
            if (count == 0) {
                return failure(ErrorCode::corrupt, "resource '" + resource.spec().name + "' ends too early");
            }
            TRY_OK(data(buffer.first(count)));
            left -= count;
        }
    }
    return {};
}

TakeHole zeros_to(TakeData data) {
    return [data = std::move(data)](std::uint64_t length) -> Result<> {
        constexpr std::size_t most = 64u << 10;
        Bytes const zeros(static_cast<std::size_t>(std::min<std::uint64_t>(length, most)));
        while (length > 0) {
            auto const count = std::min<std::uint64_t>(length, zeros.size());
            TRY_OK(data(BytesView(zeros).first(static_cast<std::size_t>(count))));
            length -= count;
        }
        return {};
    };
}

} // namespace sinew::firmware
