/// The service manager's readiness protocol (sd_notify): one datagram to the socket named by NOTIFY_SOCKET.
#pragma once

#include <sinew/base/result.hpp>

#include <string_view>

namespace sinew::detail {

/// Sends `state`, e.g. "READY=1". Without NOTIFY_SOCKET it does nothing. Does not block.
[[nodiscard]] Result<> notify_service_manager(std::string_view state);

} // namespace sinew::detail
