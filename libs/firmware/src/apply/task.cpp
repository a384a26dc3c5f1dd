/// Tasks and conditions. See the header for invariant and threading.
#include "apply/task.hpp"

#include "apply/outside.hpp"
#include "fat/volume.hpp"
#include "script/config.hpp"
#include "script/functions.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/partition_table.hpp>
#include <sinew/firmware/running_system.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sinew::firmware {

namespace {

/// Where the four primary partitions begin, whatever their types.
bool primary_begins_at(BlockDevice& disk, std::uint64_t number, std::uint64_t block) {
    std::array<std::byte, block_size_bytes> sector{};
    if (number > 3 || !disk.read_at(0, sector) || sector[510] != std::byte{0x55} ||
        sector[511] != std::byte{0xAA}) {
        return false;
    }
    return load_le32(sector, 446 + 16 * static_cast<std::size_t>(number) + 8) == block;
}

bool fat_file_exists(BlockDevice& disk, std::uint64_t block, std::string const& name) {
    auto volume = FatVolume::mount(disk, block);
    return volume && volume->open_file(name);
}

/// Whether `wanted` is anywhere in the file: boot loaders keep their state in files that hold more than it.
bool fat_file_matches(BlockDevice& disk, std::uint64_t block, std::string const& name,
                      std::string_view wanted) {
    constexpr std::size_t longest = 4095;
    auto volume = FatVolume::mount(disk, block);
    if (!volume || wanted.size() > longest) {
        return false;
    }
    auto file = volume->open_file(name);
    if (!file) {
        return false;
    }
    std::string window; // what was read last, and before it as much as a match could begin in
    std::array<std::byte, longest + 1> buffer{};
    while (!window.contains(wanted)) {
        auto const count = file->read(buffer);
        if (!count || *count == 0) {
            return false;
        }
        window.erase(0, window.size() - std::min(window.size(), wanted.size()));
        window += as_text(BytesView(buffer).first(*count));
    }
    return true;
}

bool variable_is(Section const& config, BlockDevice& disk, std::string const& environment,
                 std::string const& name, std::string const& value) {
    auto const layout = environment_layout(config, environment);
    if (!layout) {
        return false;
    }
    auto const loaded = UbootEnvironment::load(disk, *layout);
    return loaded && loaded->get(name) == value;
}

bool is_met(Section const& config, Call const& condition, Surroundings const& surroundings) {
    auto const& words = condition.words;
    auto& disk = surroundings.disk;
    auto const id = check_condition(words, Deferred::refused);
    if (!id) {
        return false;
    }
    auto const number = [&](std::size_t index) { return parse_number(words[index]).value_or(0); };
    switch (*id) {
    case Condition::partition_offset:
        return primary_begins_at(disk, number(1), number(2));
    case Condition::path_on_device:
        return surroundings.system.is_path_on_device(words[1], words[2]);
    case Condition::path_at_offset: {
        auto const source = surroundings.system.mount_source(words[1]);
        return source && source->start_block == number(2);
    }
    case Condition::fat_file_exists:
        return fat_file_exists(disk, number(1), words[2]);
    case Condition::fat_file_match:
        return fat_file_matches(disk, number(1), words[2], words[3]);
    case Condition::uboot_variable:
        return variable_is(config, disk, words[1], words[2], words[3]);
    case Condition::execute:
        return surroundings.unsafe == Unsafe::allowed && execute(words[1]).has_value();
    }
    return false;
}

bool conditions_met(Section const& config, Section const& task, Surroundings const& surroundings) {
    auto const legacy_offset = task.integer("require-partition1-offset");
    if (legacy_offset >= 0 &&
        !primary_begins_at(surroundings.disk, 1, static_cast<std::uint64_t>(legacy_offset))) {
        return false;
    }
    return std::ranges::all_of(
        task.calls, [&](Call const& condition) { return is_met(config, condition, surroundings); });
}

} // namespace

Result<EnvironmentLayout> environment_layout(Section const& config, std::string_view name) {
    auto const* const section = config.find_section("uboot-environment", name);
    if (section == nullptr) {
        return failure(ErrorCode::invalid_argument, "there is no uboot-environment section named '" +
                                                        std::string(name.substr(0, 60)) + "'");
    }
    auto const offset = section->integer("block-offset");
    auto const count = section->integer("block-count");
    auto const redundant = section->integer("block-offset-redund");
    auto const title = "uboot-environment '" + std::string(name) + "': ";
    if (offset < 0) {
        return failure(ErrorCode::invalid_argument, title + "block-offset must be given");
    }
    if (count < 1 || count > 65534) {
        return failure(ErrorCode::invalid_argument, title + "block-count must be given, 1 to 65534");
    }
    EnvironmentLayout layout;
    layout.block_offset = static_cast<std::uint64_t>(offset);
    layout.block_count = static_cast<std::uint32_t>(count);
    if (redundant >= 0) {
        if (redundant < offset + count && offset < redundant + count) {
            return failure(ErrorCode::invalid_argument, title + "the two copies overlap");
        }
        layout.redundant_block_offset = static_cast<std::uint64_t>(redundant);
    }
    return layout;
}

Result<Section const*> choose_task(Section const& config, std::string_view wanted,
                                   Surroundings const& surroundings) {
    std::string considered;
    std::string all;
    for (auto const& task : config.sections) {
        if (task.schema->name != "task") {
            continue;
        }
        all += (all.empty() ? "" : ", ") + task.title;
        if (!task.title.starts_with(wanted)) {
            continue;
        }
        if (conditions_met(config, task, surroundings)) {
            return &task;
        }
        considered += (considered.empty() ? "" : ", ") + task.title;
    }
    if (considered.empty()) {
        return failure(ErrorCode::not_found, "the archive has no task '" + std::string(wanted.substr(0, 60)) +
                                                 "'; it has: " + (all.empty() ? "none" : all));
    }
    return failure(ErrorCode::not_found, "no task '" + std::string(wanted.substr(0, 60)) +
                                             "' fits what is on " + surroundings.disk.name() +
                                             ": the conditions of " + considered +
                                             " aren't met; use firmware that was made for this device");
}

} // namespace sinew::firmware
