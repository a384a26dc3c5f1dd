/// Settings: the section [log] of an application's configuration: levels, the ring's size, and where events
/// go.
///
///     [log]
///     level = "notice"
///     modules = { greenhouse = "debug" }
///     ring_capacity = 4096
///     [[log.handlers]]
///     kind = "json"
///     path = "/data/greenhouse.log"
///     limit_kib = 1024
///     level = "warning"
///
/// Threading: the main thread, before the node is made.
#pragma once

#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/config.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/log_handler.hpp>
#include <sinew/otp/logger.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sinew::log {

BOOST_DESCRIBE_ENUM(Level, debug, info, notice, warning, error)

/// Where a handler writes.
enum class HandlerKind : std::uint8_t {
    /// Lines for people, to standard error.
    text,
    /// One JSON object a line, to a file or to standard error.
    json,
    /// The kernel's log.
    kmsg,
    /// The local syslog daemon.
    syslog
};
BOOST_DESCRIBE_ENUM(HandlerKind, text, json, kmsg, syslog)

struct HandlerSettings {
    HandlerKind kind = HandlerKind::text;
    /// json: the file; kmsg and syslog: instead of /dev/kmsg and /dev/log. Empty: the usual place.
    std::filesystem::path path = {};
    /// json with a file: what it may hold, from 16 KiB to 4 GiB; default: 4 MiB. Twice as much is used, with the
    /// old file.
    std::optional<std::uint32_t> limit_kib = {};
    /// Only from this level on.
    Level level = Level::debug;
};
BOOST_DESCRIBE_STRUCT(HandlerSettings, (), (kind, path, limit_kib, level))

/// See the top of the file.
struct Settings {
    Level level = Level::info;
    std::map<std::string, Level> modules = {};
    /// Events kept in memory.
    std::uint32_t ring_capacity = 1024;
    std::vector<HandlerSettings> handlers = {HandlerSettings()};
};
BOOST_DESCRIBE_STRUCT(Settings, (), (level, modules, ring_capacity, handlers))

/// Reads the section. Error invalid_argument: a key, a value or a combination is wrong; file, line and key
/// are named.
[[nodiscard]] Result<Settings> read_settings(Config const& config);
/// The least levels of all modules and of each one, as the settings say.
void apply_levels(Logger& logger, Settings const& settings);
/// One for each handler whose output can be opened, text when that is none of them; the others are logged and
/// left out. `identity` is what kmsg and syslog call the program.
[[nodiscard]] std::vector<HandlerOptions> make_handlers(Logger& logger, Settings const& settings,
                                                        std::string const& identity);

} // namespace sinew::log
