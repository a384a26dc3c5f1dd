/// The names of the language's functions and conditions, and how many arguments they take.
///
/// Invariant: what isn't in these tables can't be run. Threading: constants and free functions.
#pragma once

#include <sinew/base/result.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sinew::firmware {

/// Where a function is called.
enum class Event : std::uint8_t { init, resource, finish, error };

enum class Function : std::uint8_t {
    raw_write,
    raw_memset,
    trim,
    fat_mkfs,
    fat_write,
    fat_cp,
    fat_mv,
    fat_mv_replace,
    fat_rm,
    fat_rm_existing,
    fat_mkdir,
    fat_touch,
    fat_setlabel,
    fat_attrib,
    mbr_write,
    gpt_write,
    uboot_clearenv,
    uboot_setenv,
    uboot_unsetenv,
    uboot_recover,
    info,
    error,
    reboot_param,
    path_write,
    pipe_write,
    execute,
    ubi_volume_write,
};

enum class Condition : std::uint8_t {
    partition_offset,
    path_on_device,
    path_at_offset,
    fat_file_exists,
    fat_file_match,
    uboot_variable,
    execute,
};

[[nodiscard]] std::optional<Function> find_function(std::string_view name);
[[nodiscard]] std::optional<Condition> find_condition(std::string_view name);

/// Whether the function of this name writes the resource of its on-resource section.
[[nodiscard]] bool consumes_resource(std::string_view function);

/// Whether a value that is left to the device, "${NAME}", may stand where a number is due.
enum class Deferred : std::uint8_t { allowed, refused };

/// Checks name, place, number of arguments and numbers of one function call; `words[0]` is the name.
/// Error invalid_argument: says what is wrong, without a position.
[[nodiscard]] Result<Function> check_function(std::span<std::string const> words, Event event,
                                              Deferred deferred);
/// The same for a condition.
[[nodiscard]] Result<Condition> check_condition(std::span<std::string const> words, Deferred deferred);

/// A number with C prefixes (0x, 0), not negative. Nothing if it is none.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);

} // namespace sinew::firmware
