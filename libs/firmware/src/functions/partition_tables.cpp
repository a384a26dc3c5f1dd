/// mbr_write and gpt_write.
///
/// Invariant: what leads to a table (block 0) is written after the table; of a GPT one copy is whole at any
/// time, also after an update in which power went.
#include "functions/partition_tables.hpp"

#include "apply/checker.hpp"
#include "apply/runner.hpp"
#include "disk/gpt.hpp"
#include "disk/gpt_reader.hpp"
#include "disk/mbr.hpp"
#include "disk/output_cache.hpp"
#include "functions/arguments.hpp"
#include "functions/function.hpp"
#include "script/config.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/partition_table.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::string_view mbr = "mbr";
constexpr std::string_view gpt = "gpt";
constexpr std::string_view table_owner = "the partition table";

Result<Section const*> find_table(Section const& config, std::string_view kind, std::string const& name) {
    auto const* const section = config.find_section(kind, name);
    if (section == nullptr) {
        return failure(ErrorCode::invalid_argument,
                       "there is no " + std::string(kind) + " section named '" + name + "'");
    }
    return section;
}

template<typename Spec>
Result<Spec> named(Result<Spec> spec, std::string_view kind, std::string const& name) {
    if (!spec) {
        return std::unexpected(std::move(spec).error().with_context(std::string(kind) + " '" + name + "'"));
    }
    return spec;
}

Result<MbrSpec> find_mbr(Section const& config, std::string const& name) {
    TRY(auto const* const section, find_table(config, mbr, name));
    return named(mbr_spec(*section), mbr, name);
}

Result<GptSpec> find_gpt(Section const& config, std::string const& name) {
    TRY(auto const* const section, find_table(config, gpt, name));
    return named(gpt_spec(*section), gpt, name);
}

Result<> check_mbr(Checker& checker, Text const& call) {
    TRY_OK(find_mbr(checker.config(), call.text));
    return checker.check_range(0, 1);
}

/// The second table lies at the end of the disk, wherever that is.
Result<> check_gpt(Checker& checker, Text const& call) {
    TRY(auto const spec, find_gpt(checker.config(), call.text));
    return checker.check_range(0, spec.fewest_blocks());
}

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

Result<> write_table(Runner& runner, std::vector<DiskBlock> const& blocks) {
    auto& cache = runner.cache();
    for (auto const& block : blocks) {
        if (is_already_there(cache, block)) {
            continue; // a write that is torn could only damage it
        }
        // What block 0 leads to, logical partitions or a GPT, is there before it.
        TRY_OK(cache.barrier());
        TRY_OK(cache.write_at(block.number * block_size_bytes, block.bytes));
        runner.add_table_blocks(block.number, block.bytes.size() / block_size_bytes);
    }
    return {};
}

Result<> write_mbr(Runner& runner, Text const& call) {
    TRY(auto const spec, find_mbr(runner.config(), call.text));
    auto const disk_blocks = runner.cache().size_at_start() / block_size_bytes;
    TRY(auto const blocks, encode_mbr(spec, disk_blocks > 0 ? std::optional(disk_blocks) : std::nullopt));
    return write_table(runner, blocks);
}

Result<> write_gpt(Runner& runner, Text const& call) {
    TRY(auto const spec, find_gpt(runner.config(), call.text));
    auto& cache = runner.cache();
    auto const disk_blocks = cache.size_at_start() / block_size_bytes;
    bool const is_known = cache.growth() == Growth::fixed || disk_blocks >= spec.fewest_blocks();
    // A power cut in a former update may have left only the copy at the end; then that one must be the last
    // to change.
    auto const first_copy = read_gpt_at(cache.medium(), 1) ? GptCopy::at_end : GptCopy::at_beginning;
    TRY(auto const blocks,
        encode_gpt(spec, is_known ? std::optional(disk_blocks) : std::nullopt, first_copy));
    return write_table(runner, blocks);
}

/// Lets the partition that expands end where the disk does.
void expand(Partition& partition, std::optional<int> expanding, std::uint64_t disk_blocks) {
    if (expanding == partition.number && disk_blocks > partition.block_offset) {
        partition.block_count = std::max(partition.block_count, disk_blocks - partition.block_offset);
    }
}

/// Block 0, and those of the logical partitions.
std::vector<DiskUse> mbr_blocks(DiskPlan const& plan, Arguments const& arguments) {
    std::vector<DiskUse> uses;
    auto const spec = find_mbr(plan.config, std::get<Text>(arguments).text);
    auto const blocks = spec ? encode_mbr(*spec, std::nullopt) : Result<std::vector<DiskBlock>>();
    if (blocks) {
        for (auto const& block : *blocks) {
            uses.push_back({block.number, block.bytes.size() / block_size_bytes, std::string(table_owner)});
        }
    }
    return uses;
}

/// The first copy; where the second one goes, only the disk says.
std::vector<DiskUse> gpt_blocks(DiskPlan const& /*plan*/, Arguments const& /*arguments*/) {
    constexpr std::uint64_t first_copy_blocks = 34;
    return {{0, first_copy_blocks, std::string(table_owner)}};
}

constexpr std::array rows{
    function<check_mbr, write_mbr>({"mbr_write", 1, 1, 0, mbr}).that_uses(mbr_blocks),
    function<check_gpt, write_gpt>({"gpt_write", 1, 1, 0, gpt}).that_uses(gpt_blocks),
};

} // namespace

bool is_partition_table(std::string_view section) {
    return section == mbr || section == gpt;
}

Result<std::vector<Partition>> partitions_of(Section const& config, std::string_view kind,
                                             std::string const& name, std::uint64_t disk_blocks) {
    if (kind == mbr) {
        TRY(auto spec, find_mbr(config, name));
        for (auto& partition : spec.partitions) {
            expand(partition, spec.expanding, disk_blocks);
        }
        return std::move(spec.partitions);
    }
    TRY(auto const spec, find_gpt(config, name));
    std::vector<Partition> partitions;
    for (auto const& from : spec.partitions) {
        Partition partition;
        partition.number = from.number;
        partition.type = gpt_partition_type;
        partition.block_offset = from.block_offset;
        partition.block_count = from.block_count;
        expand(partition, spec.expanding, disk_blocks);
        partitions.push_back(std::move(partition));
    }
    return partitions;
}

std::span<Function const> partition_table_functions() {
    return rows;
}

} // namespace sinew::firmware
