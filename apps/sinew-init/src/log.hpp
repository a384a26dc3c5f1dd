/// Messages of PID 1, into the kernel's log with their severity.
///
/// Invariant: logging never fails and never blocks the caller for long: without /dev/kmsg it goes to standard
/// error. Threading: PID 1 has one thread.
#pragma once

#include <sinew/base/file.hpp>

#include <cstdint>
#include <string_view>

namespace sinew::init {

/// The kernel's numbers for the severities that PID 1 uses.
enum class Severity : std::uint8_t { critical = 2, error = 3, warning = 4, notice = 5, info = 6 };

class Log {
public:
    /// Goes to standard error until open_kernel_log() succeeded.
    Log() = default;

    /// Opens /dev/kmsg, and lifts the kernel's limit of ten messages in five seconds. Call it once /dev is
    /// mounted, and again once /proc is.
    void open_kernel_log();

    void write(Severity severity, std::string_view message);
    void critical(std::string_view message) { write(Severity::critical, message); }
    void error(std::string_view message) { write(Severity::error, message); }
    void warning(std::string_view message) { write(Severity::warning, message); }
    void notice(std::string_view message) { write(Severity::notice, message); }
    void info(std::string_view message) { write(Severity::info, message); }

private:
    FileDescriptor m_kernel_log;
};

} // namespace sinew::init
