/// From a section of the script to the cache. See the header.
#include "apply/table_writer.hpp"

#include "disk/gpt.hpp"
#include "disk/gpt_reader.hpp"
#include "disk/mbr.hpp"
#include "disk/output_cache.hpp"
#include "script/config.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sinew::firmware {

namespace {

/// Whether the medium has it, and nothing that waits will change that. What can't be read isn't there.
bool is_already_there(OutputCache& cache, DiskBlock const& block) {
    Bytes present(block.bytes.size());
    for (BlockDevice* const device : {&cache.medium(), static_cast<BlockDevice*>(&cache)}) {
        if (!device->read_at(block.number * block_size_bytes, present) || present != block.bytes) {
            return false;
        }
    }
    return true;
}

Result<> write_table(std::vector<DiskBlock> const& blocks, OutputCache& cache,
                     std::set<std::uint64_t>& table_blocks) {
    for (auto const& block : blocks) {
        if (is_already_there(cache, block)) {
            continue; // a write that is torn could only damage it
        }
        // What block 0 leads to, logical partitions or a GPT, is there before it.
        TRY_OK(cache.barrier());
        TRY_OK(cache.write_at(block.number * block_size_bytes, block.bytes));
        for (std::uint64_t i = 0; i < block.bytes.size() / block_size_bytes; ++i) {
            table_blocks.insert(block.number + i);
        }
    }
    return {};
}

} // namespace

Result<> write_mbr(Section const& config, std::string const& name, OutputCache& cache,
                   std::set<std::uint64_t>& table_blocks) {
    auto const* const section = config.find_section("mbr", name);
    if (section == nullptr) {
        return failure(ErrorCode::invalid_argument, "there is no mbr section named '" + name + "'");
    }
    TRY(auto const spec, mbr_spec(*section));
    auto const disk_blocks = cache.size_at_start() / block_size_bytes;
    TRY(auto const blocks, encode_mbr(spec, disk_blocks > 0 ? std::optional(disk_blocks) : std::nullopt));
    return write_table(blocks, cache, table_blocks);
}

Result<> write_gpt(Section const& config, std::string const& name, OutputCache& cache,
                   std::set<std::uint64_t>& table_blocks) {
    auto const* const section = config.find_section("gpt", name);
    if (section == nullptr) {
        return failure(ErrorCode::invalid_argument, "there is no gpt section named '" + name + "'");
    }
    TRY(auto const spec, gpt_spec(*section));
    auto const disk_blocks = cache.size_at_start() / block_size_bytes;
    bool const is_known = cache.growth() == Growth::fixed || disk_blocks >= spec.fewest_blocks();
    // A power cut in a former update may have left only the copy at the end; then that one must be the last
    // to change.
    auto const first = read_gpt_at(cache.medium(), 1) ? GptCopy::at_end : GptCopy::at_beginning;
    TRY(auto const blocks, encode_gpt(spec, is_known ? std::optional(disk_blocks) : std::nullopt, first));
    return write_table(blocks, cache, table_blocks);
}

} // namespace sinew::firmware
