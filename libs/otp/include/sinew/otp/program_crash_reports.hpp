/// ProgramCrashReports: the last words of a program that dies of what C++ can't contain: a bad address, a stack that
/// is used up, abort(), an exception that nothing caught; and of one that exit() ends in the middle.
///
///     greenhouse: crashed: SIGSEGV at address 0x0 (nothing is there), in Sensor <7.1> handling Measure,
///         thread 413
///     greenhouse:     greenhouse+0x1f3a2
///     greenhouse:     libc.so.6+0x3c04f
///
/// `addr2line -Cfe PROGRAM 0x1f3a1` names the line. Then the signal does what it does by default: the program
/// is gone, with a core file where those are made. run_application() has one; a program with a main() of its
/// own makes one before its Node.
///
/// Invariant: the report calls only what a signal handler may call, on a stack that was set aside for it, and
/// takes five seconds at most (then SIGALRM ends the program). A signal that somebody else handles, such as a
/// sanitizer, is left to them. Threading: one a program, made and destroyed on the main thread, while no Node
/// lives. Source: signal-safety(7), sigaltstack(2), _dl_find_object(3).
#pragma once

#include <cstdint>
#include <string_view>

namespace sinew {

/// Where a crash is told besides standard error. `kernel_log`: /dev/kmsg, which outlives the program and its
/// service manager; without the right to write there it is left out.
enum class CrashLog : std::uint8_t { standard_error, kernel_log };

/// See the top of the file.
class ProgramCrashReports {
public:
    /// From now on. `program` is what the lines begin with, its first 31 bytes.
    explicit ProgramCrashReports(std::string_view program, CrashLog log = CrashLog::standard_error);
    /// The program ends by itself: an exit() is no news any more, a crash still is.
    ~ProgramCrashReports();
    ProgramCrashReports(ProgramCrashReports const&) = delete;
    ProgramCrashReports& operator=(ProgramCrashReports const&) = delete;
    ProgramCrashReports(ProgramCrashReports&&) = delete;
    ProgramCrashReports& operator=(ProgramCrashReports&&) = delete;
};

} // namespace sinew
