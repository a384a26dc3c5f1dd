/// Outputs: how a log handler's events leave the program: text for people, JSON lines, the kernel's log,
/// syslog.
///
/// Threading: an Output is used by one thread at a time, which may block in it (a handler calls it on the
/// blocking pool).
#pragma once

#include <sinew/base/detail/std_function.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/logger.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace sinew::log {

/// Takes events in order.
class Output {
public:
    Output() = default;
    Output(Output const&) = delete;
    Output& operator=(Output const&) = delete;
    Output(Output&&) = delete;
    Output& operator=(Output&&) = delete;
    virtual ~Output() = default;
    /// Writes them all, or says why not. May block.
    [[nodiscard]] virtual Result<> write(std::span<RecordPointer const> records) = 0;
};

/// Text as format() makes it, to a descriptor that it borrows; with colours when that is a terminal, NO_COLOR
/// is not set and TERM is not "dumb".
[[nodiscard]] std::shared_ptr<Output> human_output(int fd);
/// What a log file may hold unless it is said otherwise.
inline constexpr std::uint64_t default_log_limit_bytes = std::uint64_t{4} << 20;
/// One JSON object a line, appended to `path` (made with mode 0640). A line that would make it larger than
/// `limit_bytes` begins it anew; the full one becomes PATH.1, in the place of the one before, so that twice the
/// limit is used at most. Errors as open(2).
[[nodiscard]] Result<std::shared_ptr<Output>>
json_lines_output(std::filesystem::path const& path, std::uint64_t limit_bytes = default_log_limit_bytes);
/// One JSON object a line, to a descriptor that it borrows.
[[nodiscard]] std::shared_ptr<Output> json_lines_output(int fd);
/// The kernel's log buffer (dmesg(1)), facility user; long texts are split at line feeds and 900 bytes.
/// Errors as open(2): usually denied without root.
[[nodiscard]] Result<std::shared_ptr<Output>> kmsg_output(std::string identity,
                                                          std::filesystem::path const& path = "/dev/kmsg");
/// The local syslog daemon's socket, in the form of RFC 3164. Connects when it first writes, and again after
/// the daemon was restarted; waits at most a second for a daemon that is stuck.
[[nodiscard]] std::shared_ptr<Output> syslog_output(std::string identity, std::string path = "/dev/log");
/// Calls `function` with each event: what attaches a console, or a test.
[[nodiscard]] std::shared_ptr<Output> function_output(std::function<void(Event const&)> function);

} // namespace sinew::log
