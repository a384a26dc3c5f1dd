/// Whether a device can live with its settings.
///
/// `sinew firmware` asks before it builds, and the programs that read the files (load_config.hpp) before they use
/// them: one rule, so that what was built is what starts. Threading: pure functions.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/device/config.hpp>

#include <string_view>

namespace sinew::device {

/// Error invalid_argument: "SOURCE: watchdog.timeout: 1ms is outside 5s to 1h", the first that is wrong.
[[nodiscard]] Result<> check(InitConfig const& config, std::string_view source_name);
[[nodiscard]] Result<> check(DeviceConfig const& config, std::string_view source_name);

} // namespace sinew::device
