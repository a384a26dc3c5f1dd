#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>
#include <sinew/otp/config.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew {

Result<Config> Config::load(std::filesystem::path const& directory, std::string_view target) {
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
