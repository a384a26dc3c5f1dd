/// The version of Sinew itself.
#pragma once

#include <string_view>

namespace sinew::tooling {

inline constexpr std::string_view version = SINEW_VERSION;

} // namespace sinew::tooling
