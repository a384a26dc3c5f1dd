/// The rows, and what they ask the device.
#include "functions/conditions.hpp"

#include "apply/outside.hpp"
#include "fat/volume.hpp"
#include "functions/arguments.hpp"
#include "functions/environment.hpp"
#include "functions/function.hpp"
#include "script/config.hpp"
#include "script/number.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sinew::firmware {

namespace {

constexpr std::uint64_t last_primary = 3;

std::uint64_t number(Words words, std::size_t index) {
    return parse_number(words[index]).value_or(0);
}

Result<> check_primary(Words words, Deferred /*deferred*/) {
    if (number(words, 1) <= last_primary) {
        return {};
    }
    return failure(ErrorCode::invalid_argument,
                   "require-partition-offset(): the partition must be a primary one, 0 to 3, not " +
                       words[1].substr(0, 60));
}

bool partition_offset(Section const& /*config*/, Words words, Surroundings const& surroundings) {
    return primary_begins_at(surroundings.disk, number(words, 1), number(words, 2));
}

bool path_on_device(Section const& /*config*/, Words words, Surroundings const& surroundings) {
    return surroundings.system.is_path_on_device(words[1], words[2]);
}

bool path_at_offset(Section const& /*config*/, Words words, Surroundings const& surroundings) {
    auto const source = surroundings.system.mount_source(words[1]);
    return source && source->start_block == number(words, 2);
}

bool fat_file_exists(Section const& /*config*/, Words words, Surroundings const& surroundings) {
    auto volume = FatVolume::mount(surroundings.disk, number(words, 1));
    return volume && volume->open_file(words[2]);
}

/// Whether the text is anywhere in the file: boot loaders keep their state in files that hold more than it.
bool fat_file_match(Section const& /*config*/, Words words, Surroundings const& surroundings) {
    constexpr std::size_t longest = 4095;
    std::string_view const wanted = words[3];
    auto volume = FatVolume::mount(surroundings.disk, number(words, 1));
    if (!volume || wanted.size() > longest) {
        return false;
    }
    auto file = volume->open_file(words[2]);
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

bool uboot_variable(Section const& config, Words words, Surroundings const& surroundings) {
    auto const layout = environment_layout(config, words[1]);
    if (!layout) {
        return false;
    }
    auto const loaded = UbootEnvironment::load(surroundings.disk, *layout);
    return loaded && loaded->get(words[2]) == words[3];
}

bool execute_succeeds(Section const& /*config*/, Words words, Surroundings const& surroundings) {
    return surroundings.unsafe == Unsafe::allowed && execute(words[1]).has_value();
}

constexpr std::array rows{
    Condition{{"require-partition-offset", 2, 2, argument_1 | argument_2, "", check_primary},
              partition_offset},
    Condition{{"require-path-on-device", 2, 2}, path_on_device},
    Condition{{"require-path-at-offset", 2, 2, argument_2}, path_at_offset},
    Condition{{"require-fat-file-exists", 2, 2, argument_1}, fat_file_exists},
    Condition{{"require-fat-file-match", 3, 3, argument_1}, fat_file_match},
    Condition{{"require-uboot-variable", 3, 3, 0, "uboot-environment"}, uboot_variable},
    Condition{{"require-execute", 1, 1}, execute_succeeds},
};

} // namespace

std::span<Condition const> conditions() {
    return rows;
}

bool primary_begins_at(BlockDevice& disk, std::uint64_t number, std::uint64_t block) {
    std::array<std::byte, block_size_bytes> sector{};
    if (number > last_primary || !disk.read_at(0, sector) || sector[510] != std::byte{0x55} ||
        sector[511] != std::byte{0xAA}) {
        return false;
    }
    return load_le32(sector, 446 + 16 * static_cast<std::size_t>(number) + 8) == block;
}

} // namespace sinew::firmware
