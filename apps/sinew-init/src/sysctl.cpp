/// Implements sysctl.hpp.
#include "sysctl.hpp"

#include "log.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::init {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_settings = 256;

bool is_key(std::string_view key) {
    return !key.empty() && key.front() != '.' && !key.contains("..") && std::ranges::all_of(key, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-' || c == '.' || c == '*';
    });
}

/// The places that a path with "*" stands for.
std::vector<fs::path> places_of(fs::path const& folder, fs::path const& path) {
    std::vector<fs::path> places{folder};
    for (auto const& part : path) {
        std::vector<fs::path> next;
        for (auto const& place : places) {
            std::error_code error;
            if (part != "*") {
                next.push_back(place / part);
                continue;
            }
            for (fs::directory_iterator entry(place, error), end; !error && entry != end;
                 entry.increment(error)) {
                next.push_back(entry->path());
            }
        }
        places = std::move(next);
    }
    return places;
}

Result<> write_setting(fs::path const& place, std::string_view value) {
    TRY(auto const file, open_file(place, O_WRONLY));
    return write_all(file, as_bytes(value));
}

} // namespace

std::vector<KernelSetting> parse_kernel_settings(std::string_view text) {
    std::vector<KernelSetting> settings;
    for (auto const part : split(text, '\n')) {
        auto const line = trim(part);
        auto const equals = line.find('=');
        if (line.empty() || line.starts_with('#') || line.starts_with(';') ||
            equals == std::string_view::npos) {
            continue;
        }
        std::string key(trim(line.substr(0, equals)));
        if (!is_key(key) || settings.size() == most_settings) {
            continue;
        }
        std::ranges::replace(key, '.', '/');
        settings.push_back({.path = key, .value = std::string(trim(line.substr(equals + 1)))});
    }
    return settings;
}

void apply_kernel_settings(std::vector<KernelSetting> const& settings, fs::path const& folder, Log& log) {
    for (auto const& setting : settings) {
        for (auto const& place : places_of(folder, setting.path)) {
            auto const written = write_setting(place, setting.value + "\n");
            if (!written && written.error().code() != ErrorCode::not_found) {
                log.warning("the kernel keeps its setting: " + written.error().message());
            }
        }
    }
}

} // namespace sinew::init
