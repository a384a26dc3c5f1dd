/// What the runtime itself reports: crashes, and messages nobody handles; and how a process is called in it.
///
/// Threading: on the process's own thread.
#pragma once

#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/pid.hpp>

#include <source_location>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

namespace sinew {
struct ChildSpec;
}

namespace sinew::log {

/// The event, with what is known of the running process.
[[nodiscard]] Event make_event(Level level, std::string_view text, Fields fields, std::source_location where);

} // namespace sinew::log

namespace sinew::detail {

struct Process;

void report_crash(Process const& process);
/// It has no handler for `what`, which is dropped.
void report_unhandled(Process const& process, std::string_view what);
/// A supervisor's child ended, and that needs a report: the same child five times in ten seconds.
void report_child_end(ChildSpec const& child, Pid pid, ExitReason const& reason, bool is_restarted);

/// Its label, or its class.
[[nodiscard]] std::string label_of(Process const& process);
/// The class as people call it.
[[nodiscard]] std::string class_label(std::type_info const& type);
/// "TemperatureReader <4.1>".
[[nodiscard]] std::string describe(Process const& process);
/// The name it is registered under, or nothing.
[[nodiscard]] std::string name_of(Process const& process);
/// Its parent first, as far as they are known.
[[nodiscard]] std::vector<Pid> ancestors_of(Process const& process);
/// Its state as JSON, at most 4 KiB of it; empty when its class shows none.
[[nodiscard]] std::string state_text(Process const& process);

} // namespace sinew::detail
