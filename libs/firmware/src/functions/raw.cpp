/// raw_write, raw_memset and trim: blocks of the disk.
#include "apply/checker.hpp"
#include "apply/runner.hpp"
#include "archive/resource_stream.hpp"
#include "disk/output_cache.hpp"
#include "disk/sector_cipher.hpp"
#include "functions/arguments.hpp"
#include "functions/function.hpp"
#include "script/number.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>

namespace sinew::firmware {

namespace {

// raw_write

/// Only while a script is made: on the device the options are read at once.
Result<> check_options(Words words, Deferred deferred) {
    auto const options = words.subspan(std::min<std::size_t>(words.size(), 2));
    bool const is_known =
        std::ranges::none_of(options, [](std::string const& option) { return option.contains("${"); });
    if (deferred == Deferred::allowed && is_known && !options.empty()) {
        TRY_OK(SectorCipher::create(options));
    }
    return {};
}

Result<> check_raw_write(Checker& checker, RawWrite const& call) {
    auto const& resource = checker.resource();
    auto const blocks = blocks_of(resource.size_bytes());
    TRY_OK(checker.check_slot("resource '" + resource.name + "'", call.block, blocks));
    return checker.check_range(call.block, blocks);
}

/// As many bytes of `resource` as fit into `into`; fewer only at its end.
Result<std::size_t> read_full(ResourceStream& resource, MutableBytesView into) {
    std::size_t size = 0;
    while (size < into.size()) {
        TRY(auto const count, resource.read(into.subspan(size)));
        if (count == 0) {
            break;
        }
        size += count;
    }
    return size;
}

/// Writes the next `length` bytes of the resource from `offset` on, the last block filled up with zeros, and
/// moves `offset` behind them. The blocks of the cipher count from `start`.
Result<> write_piece(Runner& runner, RawWrite const& call, std::uint64_t start, std::uint64_t& offset,
                     std::uint64_t length) {
    auto const buffer = runner.buffer();
    for (auto left = length; left > 0;) {
        // Pieces end where segments do, so that each segment goes out at once and whole.
        auto const room = OutputCache::segment_bytes - offset % OutputCache::segment_bytes;
        auto const want = static_cast<std::size_t>(std::min<std::uint64_t>(left, room));
        TRY(auto const count, read_full(runner.resource(), buffer.first(want)));
        if (count < want) {
            return failure(ErrorCode::corrupt,
                           "resource '" + runner.resource().spec().name + "' ends too early");
        }
        auto const padded = static_cast<std::size_t>(blocks_of(count) * block_size_bytes);
        std::ranges::fill(buffer.subspan(count, padded - count), std::byte{0});
        if (call.cipher) {
            call.cipher->encrypt((offset - start) / block_size_bytes, buffer.first(padded));
        }
        TRY_OK(runner.cache().stream(offset, buffer.first(padded)));
        runner.add_payload(count);
        offset += padded;
        left -= count;
    }
    return {};
}

Result<> raw_write(Runner& runner, RawWrite const& call) {
    auto& cache = runner.cache();
    auto const start = call.block * block_size_bytes;
    auto offset = start;
    auto const& pieces = runner.resource().spec().pieces;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (i % 2 == 1) {
            offset += pieces[i]; // a hole: what is there stays
            continue;
        }
        bool const is_last = i + 2 >= pieces.size();
        if (!is_last && (pieces[i] % block_size_bytes != 0 || pieces[i + 1] % block_size_bytes != 0)) {
            return failure(ErrorCode::unsupported, "a resource whose holes don't begin and end with blocks");
        }
        TRY_OK(write_piece(runner, call, start, offset, pieces[i]));
    }
    if (pieces.size() % 2 == 0 && cache.growth() == Growth::grows && cache.size_bytes() < offset) {
        // Nothing else gives an image file that ends in a hole its length.
        auto const last_block = (offset - 1) / block_size_bytes * block_size_bytes;
        TRY_OK(cache.stream(last_block, Bytes(block_size_bytes)));
    }
    return runner.drain();
}

// raw_memset

Result<> check_count(Words words, Deferred deferred) {
    if (deferred == Deferred::allowed && parse_number(words[2]) == 0) {
        return failure(ErrorCode::invalid_argument,
                       words[0] + "(): the count must be at least 1, not " + words[2]);
    }
    return {};
}

Result<> check_byte(Words words, Deferred deferred) {
    TRY_OK(check_count(words, deferred));
    if (parse_number(words[3]).value_or(0) > 255) {
        return failure(ErrorCode::invalid_argument,
                       "raw_memset(): the byte must be 0 to 255, not " + words[3]);
    }
    return {};
}

Result<> check_fill(Checker& checker, Fill const& call) {
    return checker.check_range(call.block, call.count);
}

Result<> raw_memset(Runner& runner, Fill const& call) {
    Bytes const content(OutputCache::segment_bytes, std::byte{call.byte});
    auto offset = call.block * block_size_bytes;
    for (auto left = call.count * block_size_bytes; left > 0;) {
        auto const room = OutputCache::segment_bytes - offset % OutputCache::segment_bytes;
        auto const piece = std::min<std::uint64_t>(left, room);
        TRY_OK(runner.cache().stream(offset, BytesView(content).first(static_cast<std::size_t>(piece))));
        runner.add_payload(piece);
        offset += piece;
        left -= piece;
    }
    return {};
}

std::uint64_t filled_bytes(Arguments const& arguments) {
    return std::get<Fill>(arguments).count * block_size_bytes;
}

constexpr Function raw_memset_row() {
    auto row = function<check_fill, raw_memset>(
        {"raw_memset", 3, 3, argument_1 | argument_2 | argument_3, "", check_byte});
    row.payload_bytes = filled_bytes;
    return row;
}

// trim

Result<> check_trim(Checker& checker, BlockRange const& call) {
    return checker.check_range(call.block, call.count);
}

Result<> trim(Runner& runner, BlockRange const& call) {
    bool const on_medium = runner.options().hardware_trim == HardwareTrim::on;
    return runner.cache().trim(call.block, call.count, on_medium ? MediumTrim::on : MediumTrim::off);
}

constexpr std::array rows{
    function<check_raw_write, raw_write>({"raw_write", 1, 9, argument_1, "", check_options},
                                         Trait::writes_resource),
    raw_memset_row(),
    function<check_trim, trim>({"trim", 2, 2, argument_1 | argument_2, "", check_count}),
};

} // namespace

std::span<Function const> raw_functions() {
    return rows;
}

} // namespace sinew::firmware
