#include "log/log_file.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/utf8.hpp>
#include <sinew/otp/log_output.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::log {
namespace {

constexpr int facility_user = 1 << 3;

/// The kernel's and syslog's numbers: 3 error ... 7 debug.
int severity(Level level) noexcept {
    return 7 - static_cast<int>(level);
}

bool is_colourful(int fd) {
    auto const variable = [](char const* name) {
        char const* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): never set by us
        return std::string_view(value != nullptr ? value : "");
    };
    return ::isatty(fd) == 1 && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
}

class HumanOutput final : public Output {
public:
    explicit HumanOutput(int fd)
        : m_fd(fd)
        , m_colours(is_colourful(fd) ? Colours::yes : Colours::no) {}
    Result<> write(std::span<RecordPointer const> records) override {
        std::string text;
        for (RecordPointer const& record : records) {
            text += format(record->event(), m_colours) + "\n";
        }
        return write_text(m_fd, text);
    }

private:
    int m_fd;
    Colours m_colours;
};

class JsonLinesOutput final : public Output {
public:
    explicit JsonLinesOutput(int fd)
        : m_fd(fd) {}
    Result<> write(std::span<RecordPointer const> records) override {
        std::string text;
        for (RecordPointer const& record : records) {
            text += format_json_line(record->event()) + "\n";
        }
        return write_text(m_fd, text);
    }

private:
    int m_fd;
};

class JsonFileOutput final : public Output {
public:
    explicit JsonFileOutput(LogFile file)
        : m_file(std::move(file)) {}
    Result<> write(std::span<RecordPointer const> records) override {
        for (RecordPointer const& record : records) {
            TRY_OK(m_file.append(format_json_line(record->event()) + "\n"));
        }
        return m_file.flush();
    }

private:
    LogFile m_file;
};

/// The event without its time and level, which the receiver adds itself.
std::string plain_text(Event const& event) {
    std::string const text = format(event);
    return text.substr(std::min(text.find("] ") + 2, text.size()));
}

class KmsgOutput final : public Output {
public:
    KmsgOutput(FileDescriptor file, std::string identity)
        : m_file(std::move(file))
        , m_identity(std::move(identity)) {}
    Result<> write(std::span<RecordPointer const> records) override {
        for (RecordPointer const& record : records) {
            Event const& event = record->event();
            std::string const text = plain_text(event);
            std::string_view rest = text;
            while (!rest.empty()) {
                auto const line = cut_utf8(rest.substr(0, rest.find('\n')), line_limit);
                TRY_OK(write_text(m_file.get(), "<" + std::to_string(facility_user + severity(event.level)) +
                                                    ">" + m_identity + ": " + std::string(line) + "\n"));
                rest.remove_prefix(line.size());
                rest.remove_prefix(rest.starts_with('\n') ? 1 : 0);
            }
        }
        return {};
    }

private:
    static constexpr std::size_t line_limit = 900;
    FileDescriptor m_file;
    std::string m_identity;
};

class SyslogOutput final : public Output {
public:
    SyslogOutput(std::string identity, std::string path)
        : m_identity(std::move(identity))
        , m_path(std::move(path)) {}
    Result<> write(std::span<RecordPointer const> records) override {
        for (RecordPointer const& record : records) {
            std::string const datagram = datagram_of(record->event());
            if (Result<> const sent = send(datagram); !sent) {
                m_socket.close(); // The daemon may have been restarted: once more on a new socket.
                TRY_OK(send(datagram));
            }
        }
        return {};
    }

private:
    [[nodiscard]] std::string datagram_of(Event const& event) const {
        std::time_t const seconds = std::chrono::system_clock::to_time_t(
            std::chrono::time_point_cast<std::chrono::system_clock::duration>(event.time));
        std::tm parts{};
        localtime_r(&seconds, &parts);
        std::array<char, 32> time{};
        (void)std::strftime(time.data(), time.size(), "%b %e %H:%M:%S", &parts);
        return "<" + std::to_string(facility_user + severity(event.level)) + ">" + time.data() + " " +
               m_identity + "[" + std::to_string(::getpid()) + "]: " + plain_text(event);
    }
    Result<> connect() {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (m_path.size() >= sizeof address.sun_path) {
            return failure(ErrorCode::invalid_argument, m_path + " is too long for a socket");
        }
        std::memcpy(address.sun_path, m_path.data(), m_path.size());
        m_socket = FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        timeval const timeout{.tv_sec = 1, .tv_usec = 0};
        if (!m_socket ||
            ::setsockopt(m_socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0 ||
            ::connect(m_socket.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
            int const error = errno;
            m_socket.close();
            return std::unexpected(error_from_errno(error, m_path));
        }
        return {};
    }
    Result<> send(std::string const& datagram) {
        if (!m_socket) {
            TRY_OK(connect());
        }
        if (::send(m_socket.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL) < 0) {
            return std::unexpected(error_from_errno(errno, m_path));
        }
        return {};
    }

    std::string m_identity;
    std::string m_path;
    FileDescriptor m_socket;
};

class FunctionOutput final : public Output {
public:
    explicit FunctionOutput(std::function<void(Event const&)> function)
        : m_function(std::move(function)) {}
    Result<> write(std::span<RecordPointer const> records) override {
        for (RecordPointer const& record : records) {
            m_function(record->event());
        }
        return {};
    }

private:
    std::function<void(Event const&)> m_function;
};

} // namespace

std::shared_ptr<Output> human_output(int fd) {
    return std::make_shared<HumanOutput>(fd);
}

Result<std::shared_ptr<Output>> json_lines_output(std::filesystem::path const& path,
                                                  std::uint64_t limit_bytes) {
    TRY(auto file, LogFile::open(path, limit_bytes));
    return std::make_shared<JsonFileOutput>(std::move(file));
}

std::shared_ptr<Output> json_lines_output(int fd) {
    return std::make_shared<JsonLinesOutput>(fd);
}

Result<std::shared_ptr<Output>> kmsg_output(std::string identity, std::filesystem::path const& path) {
    TRY(auto file, open_file(path, O_WRONLY));
    return std::make_shared<KmsgOutput>(std::move(file), std::move(identity));
}

std::shared_ptr<Output> syslog_output(std::string identity, std::string path) {
    return std::make_shared<SyslogOutput>(std::move(identity), std::move(path));
}

std::shared_ptr<Output> function_output(std::function<void(Event const&)> function) {
    return std::make_shared<FunctionOutput>(std::move(function));
}

} // namespace sinew::log
