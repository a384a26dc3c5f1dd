/// fat_mkfs, fat_write, and what else is done in a FAT file system.
#include "apply/checker.hpp"
#include "apply/resource_pieces.hpp"
#include "apply/runner.hpp"
#include "disk/output_cache.hpp"
#include "fat/layout.hpp"
#include "fat/volume.hpp"
#include "functions/arguments.hpp"
#include "functions/function.hpp"
#include "script/number.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace sinew::firmware {

namespace {

/// The data of a file system beyond its tables streams out; this much from its beginning is kept back.
constexpr std::uint64_t kept_bytes = 1u << 20;

/// Lets the data of a FAT file system stream while it is in scope.
class StreamingFat {
public:
    StreamingFat(OutputCache& cache, std::uint64_t block)
        : m_cache(cache) {
        m_cache.stream_writes_from(block * block_size_bytes + kept_bytes);
    }
    StreamingFat(StreamingFat const&) = delete;
    StreamingFat& operator=(StreamingFat const&) = delete;
    ~StreamingFat() { m_cache.stream_writes_from(std::nullopt); }

private:
    OutputCache& m_cache;
};

// fat_mkfs

/// Only while a script is made: on the device the size is checked with all else.
Result<> check_size(Words words, Deferred deferred) {
    auto const count = parse_number(words[2]);
    if (deferred == Deferred::allowed && count) {
        TRY_OK(plan_fat(*count));
    }
    return {};
}

Result<> check_mkfs(Checker& checker, BlockRange const& call) {
    TRY_OK(checker.check_range(call.block, call.count));
    TRY_OK(plan_fat(call.count));
    checker.add_file_system(call.block, call.count);
    return checker.check_slot("the FAT file system", call.block, call.count);
}

Result<> mkfs(Runner& runner, BlockRange const& call) {
    StreamingFat const streaming(runner.cache(), call.block);
    return make_fat(runner.cache(), call.block, call.count);
}

// fat_write

Result<> check_write(Checker& checker, FatEdit const& call) {
    checker.add_file(call.block);
    return checker.check_range(call.block, 1);
}

Result<> write(Runner& runner, FatEdit const& call) {
    StreamingFat const streaming(runner.cache(), call.block);
    TRY(auto volume, FatVolume::mount(runner.cache(), call.block));
    TRY(auto file, volume.create_file(call.path));
    auto const data = [&](BytesView bytes) -> Result<> {
        TRY_OK(file.write(bytes));
        runner.add_payload(bytes.size());
        return {};
    };
    TRY_OK(for_each_piece(runner.resource(), runner.buffer(), data,
                          zeros_to([&](BytesView zeros) { return file.write(zeros); })));
    TRY_OK(runner.drain());
    return file.finish();
}

// The others.

using Change = Result<> (*)(FatVolume& volume, FatEdit const& call);

Result<> check_change(Checker& checker, FatEdit const& call) {
    return checker.check_range(call.block, 1);
}

Result<> change_volume(Runner& runner, FatEdit const& call, Change change) {
    StreamingFat const streaming(runner.cache(), call.block);
    TRY(auto volume, FatVolume::mount(runner.cache(), call.block));
    return change(volume, call);
}

template<Change change>
Result<> run(Runner& runner, FatEdit const& call) {
    return change_volume(runner, call, change);
}

Result<> check_copy(Words words, Deferred deferred) {
    bool const is_left_to_device = deferred == Deferred::allowed && words[3].contains("${");
    if (words.size() < 5 || is_left_to_device || parse_number(words[3])) {
        return {};
    }
    return failure(ErrorCode::invalid_argument,
                   "fat_cp(): argument 3 of 4 must be a number, not '" + words[3].substr(0, 60) + "'");
}

Result<> copy(Runner& runner, FatEdit const& call) {
    StreamingFat const streaming(runner.cache(), call.block);
    TRY(auto volume, FatVolume::mount(runner.cache(), call.block));
    if (!call.target_block) {
        return volume.copy_from(volume, call.path, call.target);
    }
    TRY(auto target, FatVolume::mount(runner.cache(), *call.target_block));
    return target.copy_from(volume, call.path, call.target);
}

Result<> move(FatVolume& volume, FatEdit const& call) {
    return volume.rename(call.path, call.target, Existing::kept);
}

Result<> move_over(FatVolume& volume, FatEdit const& call) {
    return volume.rename(call.path, call.target, Existing::replaced);
}

Result<> remove(FatVolume& volume, FatEdit const& call) {
    return volume.remove(call.path, Missing::accepted);
}

Result<> remove_existing(FatVolume& volume, FatEdit const& call) {
    return volume.remove(call.path, Missing::refused);
}

Result<> make_directory(FatVolume& volume, FatEdit const& call) {
    return volume.make_directory(call.path);
}

Result<> touch(FatVolume& volume, FatEdit const& call) {
    return volume.touch(call.path);
}

Result<> set_label(FatVolume& volume, FatEdit const& call) {
    return volume.set_label(call.path);
}

Result<> check_attributes(Words words, Deferred deferred) {
    bool const is_left_to_device = deferred == Deferred::allowed && words[3].contains("${");
    if (is_left_to_device || words[3].find_first_not_of("RHSrhs") == std::string::npos) {
        return {};
    }
    return failure(ErrorCode::invalid_argument,
                   "fat_attrib(): the attributes must be any of R, H and S, not '" + words[3].substr(0, 60) +
                       "'");
}

Result<> set_attributes(FatVolume& volume, FatEdit const& call) {
    return volume.set_attributes(call.path, call.target);
}

DiskUse file_system_at(std::uint64_t block, std::uint64_t count) {
    return {block, count, "the FAT file system at block " + std::to_string(block)};
}

std::vector<DiskUse> made_blocks(DiskPlan const& /*plan*/, Arguments const& arguments) {
    auto const& call = std::get<BlockRange>(arguments);
    return {file_system_at(call.block, call.count)};
}

std::vector<DiskUse> edited_blocks(DiskPlan const& plan, Arguments const& arguments) {
    auto const& call = std::get<FatEdit>(arguments);
    auto const edit = [&](std::uint64_t block) {
        auto const known = plan.file_systems.find(block);
        auto use = file_system_at(block, known == plan.file_systems.end() ? 1 : known->second);
        use.is_edit = true;
        return use;
    };
    std::vector<DiskUse> uses{edit(call.block)};
    if (call.target_block) {
        uses.push_back(edit(*call.target_block));
    }
    return uses;
}

constexpr std::array rows{
    function<check_mkfs, mkfs>({"fat_mkfs", 2, 2, argument_1 | argument_2, "", check_size})
        .that_uses(made_blocks),
    function<check_write, write>({"fat_write", 1, 2, argument_1},
                                 Trait::writes_resource | Trait::named_like_resource)
        .that_uses(edited_blocks),
    function<check_change, copy>({"fat_cp", 3, 4, argument_1, "", check_copy}).that_uses(edited_blocks),
    function<check_change, run<move>>({"fat_mv", 3, 3, argument_1}).that_uses(edited_blocks),
    function<check_change, run<move_over>>({"fat_mv!", 3, 3, argument_1}).that_uses(edited_blocks),
    function<check_change, run<remove>>({"fat_rm", 2, 2, argument_1}).that_uses(edited_blocks),
    function<check_change, run<remove_existing>>({"fat_rm!", 2, 2, argument_1}).that_uses(edited_blocks),
    function<check_change, run<make_directory>>({"fat_mkdir", 2, 2, argument_1}).that_uses(edited_blocks),
    function<check_change, run<touch>>({"fat_touch", 2, 2, argument_1}).that_uses(edited_blocks),
    function<check_change, run<set_label>>({"fat_setlabel", 2, 2, argument_1}).that_uses(edited_blocks),
    function<check_change, run<set_attributes>>({"fat_attrib", 3, 3, argument_1, "", check_attributes})
        .that_uses(edited_blocks),
};

} // namespace

std::span<Function const> fat_functions() {
    return rows;
}

} // namespace sinew::firmware
