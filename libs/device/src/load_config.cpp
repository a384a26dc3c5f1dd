/// Implements <sinew/device/load_config.hpp>.
///
/// Invariant: a file that was read is checked as a whole; nothing half-read is returned.
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/check_config.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/load_config.hpp>

#include <cstddef>
#include <filesystem>

namespace sinew::device {
namespace {

constexpr std::size_t max_config_bytes = 256u << 10;

template<typename Config>
Result<Config> load(std::filesystem::path const& path) {
    TRY(auto const text, read_text_file(path, max_config_bytes));
    TRY(auto config, from_toml<Config>(text, path.string()));
    TRY_OK(check(config, path.string()));
    return config;
}

} // namespace

Result<InitConfig> load_init_config(std::filesystem::path const& path) {
    return load<InitConfig>(path);
}

Result<DeviceConfig> load_device_config(std::filesystem::path const& path) {
    return load<DeviceConfig>(path);
}

} // namespace sinew::device
