/// The release of fwup whose behaviour this library follows, and require-fwup-version.
///
/// Threading: constants and a free function.
#pragma once

#include <sinew/base/result.hpp>

#include <string_view>

namespace sinew::firmware {

inline constexpr std::string_view compatible_version = "1.16.0";

/// Error unsupported: `required` is a later release than compatible_version; invalid_argument: it is no
/// version.
[[nodiscard]] Result<> check_required_version(std::string_view required);

} // namespace sinew::firmware
