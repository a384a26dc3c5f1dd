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
#include <vector>

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

std::unexpected<Error> ends_too_early(Runner const& runner) {
    return failure(ErrorCode::corrupt, "resource '" + runner.resource().spec().name + "' ends too early");
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
            return ends_too_early(runner);
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

/// The same for a piece that begins or ends within a block: what is there of that block stays. Only the end of
/// the resource is filled up with zeros.
Result<> write_odd_piece(Runner& runner, std::uint64_t offset, std::uint64_t length, bool is_last) {
    auto const buffer = runner.buffer();
    for (auto left = length; left > 0;) {
        auto const in_block = static_cast<std::size_t>(offset % block_size_bytes);
        auto const room = OutputCache::segment_bytes - offset % OutputCache::segment_bytes;
        auto const count = static_cast<std::size_t>(std::min<std::uint64_t>(left, room));
        auto const blocks =
            buffer.first(static_cast<std::size_t>(blocks_of(in_block + count) * block_size_bytes));
        TRY_OK(runner.cache().read_at(offset - in_block, blocks));
        TRY(auto const had, read_full(runner.resource(), blocks.subspan(in_block, count)));
        if (had < count) {
            return ends_too_early(runner);
        }
        if (is_last && count == left) {
            std::ranges::fill(blocks.subspan(in_block + count), std::byte{0});
        }
        TRY_OK(runner.cache().stream(offset - in_block, blocks));
        runner.add_payload(count);
        offset += count;
        left -= count;
    }
    return {};
}

/// Whether a hole between two pieces of data begins or ends within a block.
bool has_odd_holes(std::vector<std::uint64_t> const& pieces) {
    auto const inner = std::span(pieces).first((pieces.size() - 1) / 2 * 2);
    return std::ranges::any_of(inner, [](std::uint64_t piece) { return piece % block_size_bytes != 0; });
}

Result<> raw_write(Runner& runner, RawWrite const& call) {
    auto& cache = runner.cache();
    auto const start = call.block * block_size_bytes;
    auto offset = start;
    auto const& pieces = runner.resource().spec().pieces;
    bool const is_odd = has_odd_holes(pieces);
    if (is_odd && call.cipher) {
        return failure(ErrorCode::unsupported,
                       "a resource whose holes don't begin and end with blocks can't be encrypted");
    }
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (i % 2 == 1) {
            offset += pieces[i]; // a hole: what is there stays
        } else if (is_odd) {
            TRY_OK(write_odd_piece(runner, offset, pieces[i], i + 2 >= pieces.size()));
            offset += pieces[i];
        } else {
            TRY_OK(write_piece(runner, call, start, offset, pieces[i]));
        }
    }
    if (pieces.size() % 2 == 0 && cache.growth() == Growth::grows && cache.size_bytes() < offset) {
        // Nothing else gives an image file that ends in a hole its length.
        auto const last_block = (offset - 1) / block_size_bytes * block_size_bytes;
        TRY_OK(cache.stream(last_block, Bytes(block_size_bytes)));
    }
    return runner.drain();
}

/// Holes aren't written.
std::vector<DiskUse> written_blocks(DiskPlan const& plan, Arguments const& arguments) {
    std::vector<DiskUse> uses;
    auto at = std::get<RawWrite>(arguments).block * block_size_bytes;
    for (std::size_t i = 0; i < plan.resource->pieces.size(); ++i) {
        auto const piece = plan.resource->pieces[i];
        if (i % 2 == 0 && piece > 0) {
            auto const first = at / block_size_bytes;
            uses.push_back({first, blocks_of(at + piece) - first});
        }
        at += piece;
    }
    return uses;
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

/// An image file that grows has no end that would stop a wrong count.
Result<> check_fill(Checker& checker, Fill const& call) {
    constexpr std::uint64_t most_on_image = std::uint64_t{1} << 32; // 2 TiB
    if (checker.disk().growth() == Growth::grows && call.count > most_on_image) {
        return failure(ErrorCode::no_space, "raw_memset() of " + std::to_string(call.count) +
                                                " blocks on an image file; give it a size with --max-size" +
                                                std::string(nothing_written));
    }
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

std::vector<DiskUse> filled_blocks(DiskPlan const& /*plan*/, Arguments const& arguments) {
    auto const& call = std::get<Fill>(arguments);
    return {{call.block, call.count}};
}

constexpr Function raw_memset_row() {
    auto row = function<check_fill, raw_memset>(
        {"raw_memset", 3, 3, argument_1 | argument_2 | argument_3, "", check_byte}, Trait::clears);
    row.payload_bytes = filled_bytes;
    return row.that_uses(filled_blocks);
}

// trim

Result<> check_trim(Checker& checker, BlockRange const& call) {
    return checker.check_range(call.block, call.count);
}

Result<> trim(Runner& runner, BlockRange const& call) {
    bool const on_medium = runner.options().hardware_trim == HardwareTrim::on;
    return runner.cache().trim(call.block, call.count, on_medium ? MediumTrim::on : MediumTrim::off);
}

std::vector<DiskUse> trimmed_blocks(DiskPlan const& /*plan*/, Arguments const& arguments) {
    auto const& call = std::get<BlockRange>(arguments);
    return {{call.block, call.count}};
}

constexpr std::array rows{
    function<check_raw_write, raw_write>({"raw_write", 1, 9, argument_1, "", check_options},
                                         Trait::writes_resource)
        .that_uses(written_blocks),
    raw_memset_row(),
    function<check_trim, trim>({"trim", 2, 2, argument_1 | argument_2, "", check_count}, Trait::clears)
        .that_uses(trimmed_blocks),
};

} // namespace

std::span<Function const> raw_functions() {
    return rows;
}

} // namespace sinew::firmware
