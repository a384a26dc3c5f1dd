/// TCP ports of this machine.
#pragma once

#include <sinew/base/result.hpp>

#include <cstdint>

namespace sinew::tooling {

/// A port of 127.0.0.1 that nobody listens on just now. Error unavailable: there is none.
[[nodiscard]] Result<std::uint16_t> free_port();
/// `number` as a port. Error invalid_argument: not 1 to 65535.
[[nodiscard]] Result<std::uint16_t> checked_port(std::int64_t number);

} // namespace sinew::tooling
