#include "log/settings.hpp"

#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/log_output.hpp>

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace sinew::log {
namespace {

constexpr std::uint32_t ring_capacity_limit = 1'000'000;
constexpr std::uint64_t kib = 1024;
constexpr std::uint32_t least_limit_kib = 16;
constexpr std::uint32_t most_limit_kib = 4'194'304;

/// "config.toml:7: " for the value that counts, the last file's.
std::string place_of(Config const& config, std::string_view key, std::size_t at = 0) {
    for (Config::Layer const& layer : config.layers() | std::views::reverse) {
        Value const* const section = layer.root.find("log");
        Value const* value = section != nullptr ? section->find(key) : nullptr;
        if (value == nullptr) {
            continue;
        }
        auto const* const array = value->get_if<Value::Array>();
        if (array != nullptr && at < array->size()) {
            value = &(*array)[at];
        }
        return layer.source_name + ":" + std::to_string(value->line()) + ": ";
    }
    return {};
}

Result<std::shared_ptr<Output>> open_output(HandlerSettings const& settings, std::string const& identity) {
    bool const has_path = !settings.path.empty();
    switch (settings.kind) {
    case HandlerKind::text:
        break;
    case HandlerKind::json:
        return has_path ? json_lines_output(settings.path, settings.limit_kib
                                                               ? std::uint64_t{*settings.limit_kib} * kib
                                                               : default_log_limit_bytes)
                        : json_lines_output(STDERR_FILENO);
    case HandlerKind::kmsg:
        return has_path ? kmsg_output(identity, settings.path) : kmsg_output(identity);
    case HandlerKind::syslog:
        return has_path ? syslog_output(identity, settings.path.string()) : syslog_output(identity);
    }
    return human_output(STDERR_FILENO);
}

/// The key and what is wrong with it; empty: nothing.
std::string mistake_in(HandlerSettings const& handler) {
    if (handler.kind == HandlerKind::text && !handler.path.empty()) {
        return "path: kind = \"text\" writes to standard error; take the path out, or write kind = \"json\" "
               "for a "
               "file";
    }
    if (!handler.limit_kib) {
        return {};
    }
    if (handler.kind != HandlerKind::json || handler.path.empty()) {
        return "limit_kib: only a file has a limit; take it out, or write kind = \"json\" with a path";
    }
    if (*handler.limit_kib < least_limit_kib || *handler.limit_kib > most_limit_kib) {
        return "limit_kib must be from " + std::to_string(least_limit_kib) + " to " +
               std::to_string(most_limit_kib);
    }
    return {};
}

} // namespace

Result<Settings> read_settings(Config const& config) {
    TRY(auto settings, config.try_section<Settings>("log"));
    if (settings.ring_capacity > ring_capacity_limit) {
        return failure(ErrorCode::invalid_argument, place_of(config, "ring_capacity") +
                                                        "ring_capacity must be from 0 to " +
                                                        std::to_string(ring_capacity_limit) + " events");
    }
    for (std::size_t at = 0; at < settings.handlers.size(); ++at) {
        std::string const wrong = mistake_in(settings.handlers[at]);
        if (!wrong.empty()) {
            return failure(ErrorCode::invalid_argument,
                           place_of(config, "handlers", at) + "handlers." + std::to_string(at) + "." + wrong);
        }
    }
    return settings;
}

void apply_levels(Logger& logger, Settings const& settings) {
    logger.set_level(settings.level);
    for (auto const& [module, level] : settings.modules) {
        logger.set_module_level(module, level);
    }
}

std::vector<HandlerOptions> make_handlers(Logger& logger, Settings const& settings,
                                          std::string const& identity) {
    std::vector<HandlerOptions> handlers;
    for (std::size_t at = 0; at < settings.handlers.size(); ++at) {
        HandlerSettings const& wanted = settings.handlers[at];
        if (auto output = open_output(wanted, identity)) {
            handlers.push_back({.logger = &logger, .output = *std::move(output), .level = wanted.level});
        } else {
            warning("[log] handlers." + std::to_string(at) + " is left out: " + output.error().message() +
                    "; name a place that this program may write to, or take the handler out");
        }
    }
    if (handlers.empty()) {
        handlers.push_back({.logger = &logger, .output = human_output(STDERR_FILENO)});
    }
    return handlers;
}

} // namespace sinew::log
