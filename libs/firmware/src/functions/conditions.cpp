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
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

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

using enum Finding::Kind;

Finding met_if(bool is_met, std::string otherwise) {
    return is_met ? Finding{met} : Finding{not_met, std::move(otherwise)};
}

Finding not_read(Error const& error) {
    return {unreadable, error.message()};
}

Finding partition_offset(Section const& /*config*/, Words words, Surroundings const& surroundings) {
    return find_primary_at(surroundings.disk, number(words, 1), number(words, 2));
}

Finding path_on_device(Section const& /*config*/, Words words, Surroundings const& surroundings) {
    return met_if(surroundings.system.is_path_on_device(words[1], words[2]), "it is elsewhere");
}

Finding path_at_offset(Section const& /*config*/, Words words, Surroundings const& surroundings) {
    auto const source = surroundings.system.mount_source(words[1]);
    if (!source) {
        return not_read(source.error());
    }
    return met_if(source->start_block == number(words, 2),
                  "it is mounted from block " + std::to_string(source->start_block));
}

/// Of a file that isn't there; one in a file system that can't be read may be there.
Finding not_opened(Error const& error) {
    bool const is_answer =
        error.code() == ErrorCode::not_found || error.code() == ErrorCode::invalid_argument;
    return is_answer ? Finding{not_met, "there is no such file"} : not_read(error);
}

Finding fat_file_exists(Section const& /*config*/, Words words, Surroundings const& surroundings) {
    auto volume = FatVolume::mount(surroundings.disk, number(words, 1));
    if (!volume) {
        return not_read(volume.error());
    }
    auto const file = volume->open_file(words[2]);
    return file ? Finding{met} : not_opened(file.error());
}

/// Whether the text is anywhere in the file: boot loaders keep their state in files that hold more than it.
Finding fat_file_match(Section const& /*config*/, Words words, Surroundings const& surroundings) {
    constexpr std::size_t longest = 4095;
    std::string_view const wanted = words[3];
    if (wanted.size() > longest) {
        return {not_met, "the text is longer than 4095 bytes"};
    }
    auto volume = FatVolume::mount(surroundings.disk, number(words, 1));
    if (!volume) {
        return not_read(volume.error());
    }
    auto file = volume->open_file(words[2]);
    if (!file) {
        return not_opened(file.error());
    }
    std::string window; // what was read last, and before it as much as a match could begin in
    std::array<std::byte, longest + 1> buffer{};
    while (!window.contains(wanted)) {
        auto const count = file->read(buffer);
        if (!count) {
            return not_read(count.error());
        }
        if (*count == 0) {
            return {not_met, "the file has something else in it"};
        }
        window.erase(0, window.size() - std::min(window.size(), wanted.size()));
        window += as_text(BytesView(buffer).first(*count));
    }
    return {met};
}

Finding uboot_variable(Section const& config, Words words, Surroundings const& surroundings) {
    auto const layout = environment_layout(config, words[1]);
    if (!layout) {
        return not_read(layout.error());
    }
    auto const loaded = UbootEnvironment::load(surroundings.disk, *layout);
    if (!loaded) {
        return not_read(loaded.error());
    }
    auto const value = loaded->get(words[2]);
    return met_if(value == words[3], value ? "it is '" + value->substr(0, 60) + "'" : "it isn't set");
}

/// An empty command proves nothing.
Finding execute_succeeds(Section const& /*config*/, Words words, Surroundings const& surroundings) {
    if (surroundings.unsafe != Unsafe::allowed) {
        return {not_met, "commands aren't allowed here; allow them with --unsafe if you trust the archive"};
    }
    if (words[1].empty()) {
        return {not_met, "there is no command"};
    }
    auto const done = execute(words[1]);
    return met_if(done.has_value(), done ? std::string() : done.error().message());
}

constexpr std::array rows{
    Condition{{"require-partition-offset", 2, 2, argument_1 | argument_2, "", check_primary},
              partition_offset},
    Condition{{"require-path-on-device", 2, 2}, path_on_device},
    Condition{{"require-path-at-offset", 2, 2, argument_2}, path_at_offset},
    Condition{{"require-fat-file-exists", 2, 2, argument_1}, fat_file_exists},
    Condition{{"require-fat-file-match", 3, 3, argument_1}, fat_file_match},
    Condition{{"require-uboot-variable", 3, 3, 0, "uboot-environment"}, uboot_variable},
    Condition{{"require-execute", 1, 1}, execute_succeeds, true},
};

} // namespace

std::span<Condition const> conditions() {
    return rows;
}

Finding find_primary_at(BlockDevice& disk, std::uint64_t number, std::uint64_t block) {
    std::array<std::byte, block_size_bytes> sector{};
    if (number > last_primary) {
        return {not_met, "there is no such primary partition"};
    }
    if (auto const done = disk.read_at(0, sector); !done) {
        return not_read(done.error());
    }
    if (sector[510] != std::byte{0x55} || sector[511] != std::byte{0xAA}) {
        return {unreadable, disk.name() + " has no partition table in block 0"};
    }
    auto const begin = load_le32(sector, 446 + 16 * static_cast<std::size_t>(number) + 8);
    return met_if(begin == block, "it begins at block " + std::to_string(begin));
}

} // namespace sinew::firmware
