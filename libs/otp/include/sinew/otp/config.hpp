/// Config: the application's settings, read from TOML files into described structs.
///
/// config.toml is overlaid by host.toml or target.toml, section by section and key by key, and those by the
/// environment: SINEW_CONFIG__led__interval=500ms is [led] interval = "500ms". The later wins.
/// Threading: immutable after load().
#pragma once

#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew {

/// A setting is wrong: what() names file, line, key and what is allowed. SINEW_APPLICATION prints it and
/// exits.
class ConfigError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What was read; see the top of the file.
class Config {
public:
    /// One file.
    struct Layer {
        /// Its name, for errors.
        std::string source_name;
        /// What it holds.
        Value root;
    };
    Config() = default;
    /// Made of these; a later one wins.
    explicit Config(std::vector<Layer> layers)
        : m_layers(std::move(layers)) {}
    /// Reads `directory`/config.toml, then host.toml when `target` is "host", else target.toml. A file that
    /// isn't there is skipped. `environment`: null, or strings NAME=VALUE up to a null pointer, as environ
    /// has them. Error invalid_argument: not TOML; io errors name the file.
    [[nodiscard]] static Result<Config> load(std::filesystem::path const& directory, std::string_view target,
                                             char const* const* environment = nullptr);
    /// From a text, for tests.
    [[nodiscard]] static Result<Config> parse(std::string_view toml,
                                              std::string_view source_name = "config.toml");

    /// The section [name] as a T; what no file sets keeps T's default. T is described (see
    /// sinew/base/describe.hpp). Throws ConfigError.
    template<typename T>
    [[nodiscard]] T section(std::string_view name) const {
        Result<T> result = try_section<T>(name);
        if (!result) {
            throw ConfigError(result.error().message());
        }
        return *std::move(result);
    }
    /// The same with an Error: invalid_argument.
    template<typename T>
    [[nodiscard]] Result<T> try_section(std::string_view name) const {
        T settings{};
        for (Layer const& layer : m_layers) {
            if (Value const* const value = layer.root.find(name)) {
                TRY_OK(decode_onto(settings, *value, layer.source_name));
            }
        }
        return settings;
    }
    /// Whether a file has that section.
    [[nodiscard]] bool has_section(std::string_view name) const noexcept;
    /// In the order they were read: a later one wins.
    [[nodiscard]] std::vector<Layer> const& layers() const noexcept { return m_layers; }

private:
    std::vector<Layer> m_layers;
};

} // namespace sinew
