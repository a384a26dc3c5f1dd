/// The checks. See the header for invariant and threading.
#include "apply/preflight.hpp"

#include "apply/task.hpp"
#include "archive/resource_stream.hpp"
#include "disk/gpt.hpp"
#include "disk/mbr.hpp"
#include "disk/sector_cipher.hpp"
#include "fat/layout.hpp"
#include "script/config.hpp"
#include "script/functions.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/partition_table.hpp>
#include <sinew/firmware/running_system.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::string_view nothing_written = "; nothing was written";

std::uint64_t blocks_of(std::uint64_t bytes) {
    return (bytes + block_size_bytes - 1) / block_size_bytes;
}

Event event_of(Section const& section) {
    auto const name = section.schema->name;
    return name == "on-init"     ? Event::init
           : name == "on-finish" ? Event::finish
           : name == "on-error"  ? Event::error
                                 : Event::resource;
}

class Checker {
public:
    explicit Checker(Preflight const& preflight)
        : m_preflight(preflight) {}

    Result<> run() {
        TRY_OK(find_partitions());
        for (auto const& event : m_preflight.task.sections) {
            TRY_OK(check_event(event));
        }
        return check_file_systems();
    }

private:
    /// The partitions as they will be: those the task writes, else those on the disk, else those of the
    /// archive.
    Result<> find_partitions() {
        for (auto const& event : m_preflight.task.sections) {
            for (auto const& call : event.calls) {
                if (call.words.size() == 2 && call.words[0] == "mbr_write") {
                    return take_partitions(call.words[1]);
                }
                if (call.words.size() == 2 && call.words[0] == "gpt_write") {
                    return take_gpt_partitions(call.words[1]);
                }
            }
        }
        if (auto table = read_partition_table(m_preflight.disk)) {
            m_partitions = std::move(table->partitions);
            return {};
        }
        for (auto const& section : m_preflight.config.sections) {
            if (section.schema->name == "mbr") {
                return take_partitions(section.title);
            }
            if (section.schema->name == "gpt") {
                return take_gpt_partitions(section.title);
            }
        }
        return {};
    }

    Result<> take_partitions(std::string const& mbr_name) {
        TRY(auto spec, find_mbr(mbr_name));
        for (auto& partition : spec.partitions) {
            if (spec.expanding == partition.number) {
                partition.block_count = std::max<std::uint64_t>(
                    partition.block_count,
                    m_preflight.disk.size_bytes() / block_size_bytes -
                        std::min(m_preflight.disk.size_bytes() / block_size_bytes, partition.block_offset));
            }
        }
        m_partitions = std::move(spec.partitions);
        return {};
    }

    Result<> take_gpt_partitions(std::string const& gpt_name) {
        TRY(auto const spec, find_gpt(gpt_name));
        auto const disk_blocks = m_preflight.disk.size_bytes() / block_size_bytes;
        for (auto const& from : spec.partitions) {
            Partition partition;
            partition.number = from.number;
            partition.type = gpt_partition_type;
            partition.block_offset = from.block_offset;
            partition.block_count = from.block_count;
            if (spec.expanding == from.number && disk_blocks > from.block_offset) {
                partition.block_count = std::max(partition.block_count, disk_blocks - from.block_offset);
            }
            m_partitions.push_back(std::move(partition));
        }
        return {};
    }

    [[nodiscard]] Result<GptSpec> find_gpt(std::string const& name) const {
        auto const* const section = m_preflight.config.find_section("gpt", name);
        if (section == nullptr) {
            return failure(ErrorCode::invalid_argument, "there is no gpt section named '" + name + "'");
        }
        auto spec = gpt_spec(*section);
        if (!spec) {
            return std::unexpected(std::move(spec).error().with_context("gpt '" + name + "'"));
        }
        return spec;
    }

    /// The second table lies at the end of the disk, wherever that is.
    [[nodiscard]] Result<> check_gpt(std::string const& name) const {
        TRY(auto const spec, find_gpt(name));
        TRY_OK(check_range(0, spec.fewest_blocks()));
        return {};
    }

    [[nodiscard]] Result<> check_unsafe(std::string const& function) const {
        if (m_preflight.unsafe == Unsafe::allowed) {
            return {};
        }
        return failure(ErrorCode::denied, function +
                                              "() reaches beyond the disk; allow it with --unsafe if you "
                                              "trust the archive" +
                                              std::string(nothing_written));
    }

    [[nodiscard]] Result<MbrSpec> find_mbr(std::string const& name) const {
        auto const* const section = m_preflight.config.find_section("mbr", name);
        if (section == nullptr) {
            return failure(ErrorCode::invalid_argument, "there is no mbr section named '" + name + "'");
        }
        auto spec = mbr_spec(*section);
        if (!spec) {
            return std::unexpected(std::move(spec).error().with_context("mbr '" + name + "'"));
        }
        return spec;
    }

    [[nodiscard]] Partition const* slot_at(std::uint64_t block) const {
        auto const found = std::ranges::find_if(m_partitions, [&](Partition const& p) {
            return p.block_offset == block && p.type != 0 && p.type != 0x05 && p.type != 0x0F;
        });
        return found == m_partitions.end() ? nullptr : &*found;
    }

    Result<> check_event(Section const& event) {
        ResourceSpec const* resource = nullptr;
        if (event_of(event) == Event::resource) {
            auto const found = std::ranges::find(m_preflight.resources, event.title, &ResourceSpec::name);
            if (found == m_preflight.resources.end()) {
                return failure(ErrorCode::invalid_argument, "task '" + m_preflight.task.title +
                                                                "' wants resource '" + event.title +
                                                                "', which the archive doesn't have");
            }
            resource = &*found;
            if (event.integer("delta-source-raw-offset") < 0 &&
                event.integer("delta-source-fat-offset") < 0 && event.calls.empty()) {
                return {};
            }
        }
        int consumers = 0;
        for (auto const& call : event.calls) {
            auto checked = check_call(call, event, resource);
            if (!checked) {
                return std::unexpected(std::move(checked).error().with_context(
                    "task '" + m_preflight.task.title + "', " + std::string(event.schema->name) +
                    (event.title.empty() ? "" : " '" + event.title + "'")));
            }
            consumers += consumes_resource(call.words[0]) ? 1 : 0;
        }
        if (consumers > 1) {
            return failure(ErrorCode::invalid_argument, "task '" + m_preflight.task.title +
                                                            "' writes resource '" + event.title +
                                                            "' twice; it streams by only once");
        }
        return {};
    }

    Result<> check_call(Call const& call, Section const& event, ResourceSpec const* resource) {
        auto const& words = call.words;
        TRY(auto const function, check_function(words, event_of(event), Deferred::refused));
        auto const number = [&](std::size_t index) { return *parse_number(words[index]); };
        switch (function) {
        case Function::raw_write:
            if (words.size() > 2) {
                TRY_OK(SectorCipher::create(std::span(words).subspan(2)));
            }
            return check_raw_write(number(1), *resource);
        case Function::raw_memset:
        case Function::trim:
            return check_range(number(1), number(2));
        case Function::fat_mkfs:
            TRY_OK(check_range(number(1), number(2)));
            TRY_OK(plan_fat(number(2)));
            m_new_file_systems[number(1)] = number(2);
            return check_slot("the FAT file system", number(1), number(2));
        case Function::fat_write:
            m_fat_files[number(1)].push_back(resource);
            return check_range(number(1), 1);
        case Function::fat_cp:
        case Function::fat_mv:
        case Function::fat_mv_replace:
        case Function::fat_rm:
        case Function::fat_rm_existing:
        case Function::fat_mkdir:
        case Function::fat_touch:
        case Function::fat_setlabel:
        case Function::fat_attrib:
            return check_range(number(1), 1);
        case Function::mbr_write:
            TRY_OK(find_mbr(words[1]));
            return check_range(0, 1);
        case Function::uboot_clearenv:
        case Function::uboot_setenv:
        case Function::uboot_unsetenv:
        case Function::uboot_recover:
            return check_environment(words[1]);
        case Function::info:
        case Function::error:
        case Function::reboot_param:
            return {};
        case Function::gpt_write:
            return check_gpt(words[1]);
        case Function::path_write:
        case Function::pipe_write:
        case Function::execute:
            return check_unsafe(words[0]);
        case Function::ubi_volume_write:
            TRY_OK(check_unsafe(words[0]));
            return check_ubi_volume(words[1], *resource);
        }
        return failure(ErrorCode::invalid_argument, "unknown function '" + words[0] + "'");
    }

    [[nodiscard]] Result<> check_environment(std::string const& name) const {
        TRY(auto const layout, environment_layout(m_preflight.config, name));
        TRY_OK(check_range(layout.block_offset, layout.block_count));
        if (layout.redundant_block_offset) {
            return check_range(*layout.redundant_block_offset, layout.block_count);
        }
        return {};
    }

    [[nodiscard]] Result<> check_raw_write(std::uint64_t offset, ResourceSpec const& resource) const {
        auto const blocks = blocks_of(resource.size_bytes());
        TRY_OK(check_slot("resource '" + resource.name + "'", offset, blocks));
        return check_range(offset, blocks);
    }

    [[nodiscard]] Result<> check_slot(std::string const& what, std::uint64_t offset,
                                      std::uint64_t blocks) const {
        auto const* const slot = slot_at(offset);
        if (slot == nullptr || blocks <= slot->block_count) {
            return {};
        }
        return failure(ErrorCode::no_space,
                       what + " needs " + std::to_string(blocks) + " blocks, but its slot, " + "partition " +
                           std::to_string(slot->number) + " at block " + std::to_string(offset) +
                           ", has only " + std::to_string(slot->block_count) + "; make it smaller" +
                           std::string(nothing_written));
    }

    /// A volume isn't judged if the task runs commands, which may make it or change its size.
    [[nodiscard]] Result<> check_ubi_volume(std::string const& volume, ResourceSpec const& resource) const {
        bool const runs_commands = std::ranges::any_of(m_preflight.task.sections, [](Section const& event) {
            return std::ranges::any_of(event.calls, [](Call const& call) {
                return !call.words.empty() && (call.words[0] == "execute" || call.words[0] == "pipe_write");
            });
        });
        auto const capacity = m_preflight.system.ubi_volume_bytes(volume);
        if (runs_commands || !capacity || resource.size_bytes() <= *capacity) {
            return {};
        }
        return failure(ErrorCode::no_space,
                       "resource '" + resource.name + "' has " + std::to_string(resource.size_bytes()) +
                           " bytes, but the UBI volume " + volume + " has only " + std::to_string(*capacity) +
                           "; make it smaller" + std::string(nothing_written));
    }

    [[nodiscard]] Result<> check_range(std::uint64_t offset, std::uint64_t blocks) const {
        constexpr std::uint64_t largest = std::uint64_t{1} << 50;
        auto const& disk = m_preflight.disk;
        bool const is_fixed = disk.growth() == Growth::fixed;
        if (offset > largest || blocks > largest ||
            (is_fixed && offset + blocks > disk.size_bytes() / block_size_bytes)) {
            return failure(ErrorCode::no_space,
                           disk.name() + " has " + std::to_string(disk.size_bytes() / block_size_bytes) +
                               " blocks, but the task writes up to block " + std::to_string(offset + blocks) +
                               "; use a larger disk" + std::string(nothing_written));
        }
        auto const& root = m_preflight.root;
        if (root && offset < root->first_block + root->block_count && root->first_block < offset + blocks) {
            return failure(ErrorCode::denied, "refused to write to block " + std::to_string(offset) + " of " +
                                                  disk.name() + ": " + root->why +
                                                  std::string(nothing_written));
        }
        return {};
    }

    /// What is written into a new file system must fit into it.
    [[nodiscard]] Result<> check_file_systems() const {
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
                return failure(ErrorCode::no_space,
                               "resources " + names + "' need " + std::to_string(needed) +
                                   " blocks, but the FAT file system at block " + std::to_string(offset) +
                                   " has room for " + std::to_string(layout.cluster_count) +
                                   "; make them smaller" + std::string(nothing_written));
            }
        }
        return {};
    }

    Preflight const& m_preflight;
    std::vector<Partition> m_partitions;
    std::map<std::uint64_t, std::uint64_t> m_new_file_systems;
    std::map<std::uint64_t, std::vector<ResourceSpec const*>> m_fat_files;
};

} // namespace

std::optional<ProtectedBlocks> running_root(BlockDevice const& disk, RunningSystem const& system) {
    auto const number = disk.device_number();
    auto const source = system.mount_source("/");
    if (!number || !source) {
        return std::nullopt;
    }
    constexpr std::string_view why =
        "the system that is running now has its root file system there; apply the task "
        "that writes the other slot";
    if (*number == source->disk_number) {
        return ProtectedBlocks{source->start_block, source->block_count, std::string(why)};
    }
    if (*number == source->partition_number) {
        return ProtectedBlocks{0, source->block_count, std::string(why)};
    }
    return std::nullopt;
}

Result<> check_task(Preflight const& preflight) {
    return Checker(preflight).run();
}

} // namespace sinew::firmware
