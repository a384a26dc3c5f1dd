/// Room on the disk, in partitions and in file systems.
#include "apply/checker.hpp"

#include "apply/preflight.hpp"
#include "archive/resource_stream.hpp"
#include "fat/layout.hpp"
#include "functions/function.hpp"
#include "functions/partition_tables.hpp"
#include "script/config.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/partition_table.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

Result<> Checker::find_partitions() {
    for (auto const& event : m_preflight.task.sections) {
        for (auto const& call : event.calls) {
            if (call.function != nullptr && is_partition_table(call.function->form.section) &&
                call.words.size() == 2) {
                return take_partitions(call.function->form.section, call.words[1]);
            }
        }
    }
    if (auto table = read_partition_table(m_preflight.disk)) {
        m_partitions = std::move(table->partitions);
        return {};
    }
    for (auto const& section : m_preflight.config.sections) {
        if (is_partition_table(section.schema->name)) {
            return take_partitions(section.schema->name, section.title);
        }
    }
    return {};
}

Result<> Checker::take_partitions(std::string_view kind, std::string const& name) {
    auto const disk_blocks = m_preflight.disk.size_bytes() / block_size_bytes;
    TRY(m_partitions, partitions_of(m_preflight.config, kind, name, disk_blocks));
    return {};
}

Result<> Checker::check_unsafe(std::string const& function) const {
    if (m_preflight.unsafe == Unsafe::allowed) {
        return {};
    }
    return failure(ErrorCode::denied, function +
                                          "() reaches beyond the disk; allow it with --unsafe if you "
                                          "trust the archive" +
                                          std::string(nothing_written));
}

bool Checker::task_runs_commands() const {
    return std::ranges::any_of(m_preflight.task.sections, [](Section const& event) {
        return std::ranges::any_of(event.calls, [](Call const& call) {
            return call.function != nullptr && call.function->has(Trait::runs_commands);
        });
    });
}

Result<> Checker::check_range(std::uint64_t block, std::uint64_t count) const {
    constexpr std::uint64_t largest = std::uint64_t{1} << 50;
    auto const& disk = m_preflight.disk;
    bool const is_fixed = disk.growth() == Growth::fixed;
    if (block > largest || count > largest ||
        (is_fixed && block + count > disk.size_bytes() / block_size_bytes)) {
        return failure(ErrorCode::no_space,
                       disk.name() + " has " + std::to_string(disk.size_bytes() / block_size_bytes) +
                           " blocks, but the task writes up to block " + std::to_string(block + count) +
                           "; use a larger disk" + std::string(nothing_written));
    }
    auto const& root = m_preflight.root;
    if (root && block < root->first_block + root->block_count && root->first_block < block + count) {
        return failure(ErrorCode::denied, "refused to write to block " + std::to_string(block) + " of " +
                                              disk.name() + ": " + root->why + std::string(nothing_written));
    }
    return {};
}

Result<> Checker::check_slot(std::string const& what, std::uint64_t block, std::uint64_t count) const {
    auto const slot = std::ranges::find_if(m_partitions, [&](Partition const& p) {
        return p.block_offset == block && p.type != 0 && p.type != 0x05 && p.type != 0x0F;
    });
    if (slot == m_partitions.end() || count <= slot->block_count) {
        return {};
    }
    return failure(ErrorCode::no_space,
                   what + " needs " + std::to_string(count) + " blocks, but its slot, partition " +
                       std::to_string(slot->number) + " at block " + std::to_string(block) + ", has only " +
                       std::to_string(slot->block_count) + "; make it smaller" +
                       std::string(nothing_written));
}

Result<> Checker::check_file_systems() const {
    for (auto const& [offset, files] : m_fat_files) {
        auto const made = m_new_file_systems.find(offset);
        if (made == m_new_file_systems.end()) {
            continue;
        }
        TRY(auto const layout, plan_fat(made->second));
        std::uint64_t needed = 0;
        std::string names;
        for (auto const* const file : files) {
            needed += blocks_of(file->size_bytes());
            names += (names.empty() ? "'" : "', '") + file->name;
        }
        if (needed > layout.cluster_count) {
            return failure(ErrorCode::no_space, "resources " + names + "' need " + std::to_string(needed) +
                                                    " blocks, but the FAT file system at block " +
                                                    std::to_string(offset) + " has room for " +
                                                    std::to_string(layout.cluster_count) +
                                                    "; make them smaller" + std::string(nothing_written));
        }
    }
    return {};
}

} // namespace sinew::firmware
