#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>
#include <sinew/otp/config.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace sinew {
namespace {

constexpr std::string_view variable_prefix = "SINEW_CONFIG__";

/// A number, a boolean, a list... as TOML has them; anything else is a text.
Value parse_variable(std::string const& text) {
    Result<Value> parsed = parse_toml("value = " + text, "");
    Value const* const value = parsed ? parsed->find("value") : nullptr;
    return value != nullptr ? *value : Value(Value::Data(text));
}

/// The member `key` of an object, made when it isn't there.
Value& member(Value& object, std::string_view key) {
    if (object.get_if<Value::Object>() == nullptr) {
        object = Value(Value::Data(Value::Object{}));
    }
    auto& members = std::get<Value::Object>(object.data());
    auto const found = std::ranges::find(members, key, &std::pair<std::string, Value>::first);
    return found != members.end() ? found->second : members.emplace_back(std::string(key), Value()).second;
}

Config::Layer environment_layer(char const* const* environment) {
    Config::Layer layer{"the environment", Value(Value::Data(Value::Object{}))};
    for (; environment != nullptr && *environment != nullptr; ++environment) {
        std::string_view const variable = *environment;
        std::size_t const equals = variable.find('=');
        if (!variable.starts_with(variable_prefix) || equals == std::string_view::npos) {
            continue;
        }
        Value* place = &layer.root;
        std::string_view rest = variable.substr(variable_prefix.size(), equals - variable_prefix.size());
        while (!rest.empty()) {
            std::size_t const at = rest.find("__");
            place = &member(*place, rest.substr(0, at));
            rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 2);
        }
        if (place != &layer.root) {
            *place = parse_variable(std::string(variable.substr(equals + 1)));
        }
    }
    return layer;
}

} // namespace

Result<Config> Config::load(std::filesystem::path const& directory, std::string_view target,
                            char const* const* environment) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(directory, ignored)) {
        return failure(ErrorCode::not_found, "there is no configuration folder " + directory.string() +
                                                 "; name it with --config DIR or SINEW_CONFIG_DIR");
    }
    std::vector<Layer> layers;
    for (char const* const file : {"config.toml", target == "host" ? "host.toml" : "target.toml"}) {
        std::filesystem::path const path = directory / file;
        Result<std::string> const text = read_text_file(path);
        if (!text && text.error().code() == ErrorCode::not_found) {
            continue;
        }
        if (!text) {
            return failure(text.error().code(), text.error().message());
        }
        TRY(Value root, parse_toml(*text, path.string()));
        layers.push_back({path.string(), std::move(root)});
    }
    if (Layer from_environment = environment_layer(environment);
        !std::get<Value::Object>(from_environment.root.data()).empty()) {
        layers.push_back(std::move(from_environment));
    }
    return Config(std::move(layers));
}

Result<Config> Config::parse(std::string_view toml, std::string_view source_name) {
    TRY(Value root, parse_toml(toml, source_name));
    return Config({Layer{std::string(source_name), std::move(root)}});
}

bool Config::has_section(std::string_view name) const noexcept {
    return std::ranges::any_of(m_layers,
                               [name](Layer const& layer) { return layer.root.find(name) != nullptr; });
}

} // namespace sinew
