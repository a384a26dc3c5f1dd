/// LogFile: a file that lines are appended to, and that doesn't grow beyond a limit: PATH, and PATH.1 with what
/// was written before.
///
/// Invariant: of both files together, the newest lines up to the limit are there, whenever the power goes: the
/// full file is on the disk before it takes the old one's place by rename(2). A file that was renamed or
/// deleted under it (logrotate, rm) is begun anew. Threading: one thread at a time; blocks.
#pragma once

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::log {

/// Writes all of `text`; a descriptor that takes nothing for a second is an error.
[[nodiscard]] Result<> write_text(int fd, std::string_view text);

class LogFile {
public:
    /// Errors as open(2).
    [[nodiscard]] static Result<LogFile> open(std::filesystem::path const& path, std::uint64_t limit_bytes);
    /// Appends a line, which ends with a line feed; it may wait in memory until flush().
    [[nodiscard]] Result<> append(std::string_view line);
    /// Writes what waits. After an error that is lost.
    [[nodiscard]] Result<> flush();

private:
    LogFile(std::filesystem::path path, std::uint64_t limit_bytes, FileDescriptor file)
        : m_path(std::move(path))
        , m_limit_bytes(limit_bytes)
        , m_file(std::move(file)) {}
    /// Also of what waits.
    [[nodiscard]] std::uint64_t size_bytes() const;
    [[nodiscard]] bool is_still_there() const;
    [[nodiscard]] Result<> begin_anew();
    [[nodiscard]] Result<> reopen();

    std::filesystem::path m_path;
    std::uint64_t m_limit_bytes;
    FileDescriptor m_file;
    std::string m_waiting;
    /// A write has failed in the middle of a line.
    bool m_is_mid_line = false;
};

} // namespace sinew::log
