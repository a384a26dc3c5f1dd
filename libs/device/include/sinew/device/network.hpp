/// The network of a device: one interface, brought up and configured by udhcpc.
///
/// Threading: free functions; bring_up_interface() doesn't block.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/os_process.hpp>

#include <string>

namespace sinew::device {

/// Sets the interface up (ioctl). Errors: not_found: there is no such interface (yet); denied.
[[nodiscard]] Result<> bring_up_interface(std::string const& name);

/// udhcpc on the configured interface; `hostname` is told to the DHCP server. Before each start the interface
/// is brought up; while there is none it is tried again, ever more seldom.
[[nodiscard]] OsProcessOptions dhcp_client(Network const& network, std::string const& hostname);

} // namespace sinew::device
