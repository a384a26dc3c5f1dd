/// The messages the runtime itself sends to a server's handle_info().
///
/// Threading: plain values.
#pragma once

#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/pid.hpp>

#include <cstdint>

namespace sinew {

/// A linked process ended, or someone called exit(): only a process that traps exits gets it as a message.
struct Exit {
    /// Who ended, or called exit().
    Pid from;
    /// Why.
    ExitReason reason;
};

/// A monitored process ended. reason noproc: it was gone already when monitor() reached it.
struct Down {
    /// What monitor() returned.
    MonitorRef monitor;
    /// Who ended.
    Pid process;
    /// Why.
    ExitReason reason;
};

/// No message came for the time that set_idle_timeout() said.
struct IdleTimeout {};

/// A watched descriptor is ready. The next one comes only after this one was handled and if it is still ready
/// then.
struct FileReady {
    /// The watched descriptor.
    int fd = -1;
    /// It can be read.
    bool readable = false;
    /// It can be written.
    bool writable = false;
    /// The other end is gone, or there is an error (EPOLLHUP, EPOLLERR, EPOLLRDHUP).
    bool hung_up = false;
    /// There is exceptional data (EPOLLPRI), e.g. a sysfs attribute that changed.
    bool priority = false;
};

} // namespace sinew
