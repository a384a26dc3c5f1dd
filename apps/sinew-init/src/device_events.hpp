/// Waits for the kernel to report a device, instead of sleeping and looking again.
///
/// Invariant: events that came since open() are not lost between two waits; the socket keeps them.
/// Threading: one thread.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

namespace sinew::init {

class DeviceEvents {
public:
    DeviceEvents() = default;
    DeviceEvents(DeviceEvents const&) = delete;
    DeviceEvents& operator=(DeviceEvents const&) = delete;
    DeviceEvents(DeviceEvents&&) = delete;
    DeviceEvents& operator=(DeviceEvents&&) = delete;
    virtual ~DeviceEvents() = default;
    /// Returns when something about any device has changed, or after `at_most`.
    virtual void wait(Duration at_most) = 0;
};

/// The kernel's uevents (netlink(7), NETLINK_KOBJECT_UEVENT). Without that socket wait() only waits.
class KernelDeviceEvents final : public DeviceEvents {
public:
    KernelDeviceEvents();
    void wait(Duration at_most) override;

private:
    FileDescriptor m_socket;
};

} // namespace sinew::init
