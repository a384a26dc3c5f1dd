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
        return has_path ? json_lines_output(settings.path) : json_lines_output(STDERR_FILENO);
    case HandlerKind::kmsg:
        return has_path ? kmsg_output(identity, settings.path) : kmsg_output(identity);
    case HandlerKind::syslog:
        return has_path ? syslog_output(identity, settings.path.string()) : syslog_output(identity);
    }
    return human_output(STDERR_FILENO);
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
        HandlerSettings const& handler = settings.handlers[at];
        if (handler.kind == HandlerKind::text && !handler.path.empty()) {
            return failure(ErrorCode::invalid_argument,
                           place_of(config, "handlers", at) + "handlers." + std::to_string(at) +
                               ".path: kind = \"text\" writes to standard error; take the path out, or write "
                               "kind = \"json\" for a file");
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
