#include "log/log_file.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::log {
namespace {

constexpr int write_timeout_ms = 1000;
/// What is put together for one write(2).
constexpr std::size_t waiting_limit = 65'536;

Result<FileDescriptor> open_to_append(std::filesystem::path const& path) {
    return open_file(path, O_WRONLY | O_APPEND | O_CREAT, 0640);
}

} // namespace

Result<> write_text(int fd, std::string_view text) {
    while (!text.empty()) {
        ssize_t const written = ::write(fd, text.data(), text.size());
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
            continue;
        }
        if (errno == EAGAIN) {
            pollfd file{.fd = fd, .events = POLLOUT, .revents = 0};
            if (::poll(&file, 1, write_timeout_ms) == 0) {
                return failure(ErrorCode::timed_out, "nobody reads the log");
            }
        } else if (errno != EINTR) {
            return std::unexpected(error_from_errno(errno, "the log can't be written"));
        }
    }
    return {};
}

Result<LogFile> LogFile::open(std::filesystem::path const& path, std::uint64_t limit_bytes) {
    TRY(auto file, open_to_append(path));
    return LogFile(path, limit_bytes, std::move(file));
}

Result<> LogFile::append(std::string_view line) {
    std::uint64_t const size = size_bytes();
    if (size != 0 && size + line.size() > m_limit_bytes) {
        TRY_OK(flush());
        TRY_OK(begin_anew());
    }
    m_waiting += line;
    return m_waiting.size() < waiting_limit ? Result<>() : flush();
}

Result<> LogFile::flush() {
    if (m_waiting.empty()) {
        return {};
    }
    std::string text = std::exchange(m_waiting, {});
    if (!is_still_there()) {
        TRY_OK(reopen());
    }
    if (m_is_mid_line) {
        text.insert(text.begin(), '\n');
    }
    auto written = write_text(m_file.get(), text);
    m_is_mid_line = !written;
    return written;
}

std::uint64_t LogFile::size_bytes() const {
    struct stat status{};
    bool const is_known = ::fstat(m_file.get(), &status) == 0;
    return (is_known ? static_cast<std::uint64_t>(status.st_size) : 0) + m_waiting.size();
}

bool LogFile::is_still_there() const {
    struct stat own{};
    struct stat named{};
    return ::fstat(m_file.get(), &own) == 0 && ::stat(m_path.c_str(), &named) == 0 &&
           own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

Result<> LogFile::reopen() {
    TRY(auto file, open_to_append(m_path));
    m_file = std::move(file);
    m_is_mid_line = false;
    return {};
}

// A second program that writes to the same file may have renamed it already.
Result<> LogFile::begin_anew() {
    if (is_still_there()) {
        (void)::fsync(m_file.get());
        std::string const old = m_path.string() + ".1";
        // In a folder that can't be changed there is no old file.
        if (::rename(m_path.c_str(), old.c_str()) != 0 && ::ftruncate(m_file.get(), 0) != 0) {
            return std::unexpected(error_from_errno(errno, "the log is full and can't be begun anew"));
        }
    }
    return is_still_there() ? Result<>() : reopen();
}

} // namespace sinew::log
