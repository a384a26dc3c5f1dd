/// Files, commands and UBI volumes as targets of a resource.
#include "apply/outside.hpp"

#include "apply/resource_pieces.hpp"
#include "archive/output_file.hpp"
#include "archive/resource_stream.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/exit_status.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/process.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <mtd/ubi-user.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr std::size_t piece_bytes = 128u << 10;
constexpr std::size_t longest_quote_bytes = 120;

/// A command of the shell. Its standard input is what is written to it, or empty. It shares the caller's
/// group: what it leaves running goes on.
class ShellCommand {
public:
    static Result<ShellCommand> start(std::string const& command, Redirect input) {
        TRY(auto process, Process::start({.command = {"/bin/sh", "-c", command},
                                          .input = input,
                                          .output = Redirect::to(STDERR_FILENO),
                                          .group = ProcessGroup::callers}));
        return ShellCommand(std::move(process), command.substr(0, longest_quote_bytes));
    }

    [[nodiscard]] Result<> write(BytesView bytes) { return m_process.write_all(bytes); }

    /// Ends its input, waits, and turns a status other than 0 into an error.
    Result<> finish() {
        m_process.input().close();
        auto const status = m_process.wait();
        if (status.is_success()) {
            return {};
        }
        return failure(ErrorCode::io, "'" + m_quote + "' " + to_string(status) + "; see what it printed");
    }

private:
    ShellCommand(Process process, std::string quote)
        : m_process(std::move(process))
        , m_quote(std::move(quote)) {}
    Process m_process;
    std::string m_quote;
};

template<typename Write>
Result<> write_sequentially(ResourceStream& resource, OnPayload const& on_payload, Write write) {
    Bytes buffer(piece_bytes);
    auto const count_and_write = [&](BytesView bytes) -> Result<> {
        on_payload(bytes.size());
        return write(bytes);
    };
    return for_each_piece(resource, buffer, count_and_write, zeros_to(write));
}

Result<> write_sequentially(FileDescriptor const& file, ResourceStream& resource,
                            OnPayload const& on_payload) {
    return write_sequentially(resource, on_payload, [&](BytesView bytes) { return write_all(file, bytes); });
}

/// Holes stay holes. Returns the length.
Result<std::uint64_t> write_with_holes(FileDescriptor const& file, ResourceStream& resource,
                                       OnPayload const& on_payload) {
    Bytes buffer(piece_bytes);
    std::uint64_t at = 0;
    auto const write = [&](BytesView bytes) -> Result<> {
        on_payload(bytes.size());
        TRY_OK(write_all_at(file, bytes, at));
        at += bytes.size();
        return {};
    };
    auto const skip = [&](std::uint64_t length) -> Result<> {
        at += length;
        return {};
    };
    TRY_OK(for_each_piece(resource, buffer, write, skip));
    return at;
}

/// Writes over what is there.
Result<> write_in_place(std::filesystem::path const& path, ResourceStream& resource,
                        OnPayload const& on_payload) {
    TRY_OK(resource.judge());
    TRY(auto const file, open_file(path, O_WRONLY | O_TRUNC));
    return write_sequentially(file, resource, on_payload);
}

/// Where a path leads, also if nothing is there yet.
std::filesystem::path follow_links(std::filesystem::path path) {
    constexpr int most_links = 40;
    std::error_code error;
    for (int i = 0; i < most_links && std::filesystem::is_symlink(path, error); ++i) {
        path = path.parent_path() / std::filesystem::read_symlink(path, error);
    }
    return path;
}

Result<> replace_file(OutputFile target, struct stat const* before, ResourceStream& resource,
                      OnPayload const& on_payload) {
    auto const& file = target.file();
    TRY(auto const length, write_with_holes(file, resource, on_payload));
    if (::ftruncate(file.get(), static_cast<off_t>(length)) != 0) {
        return std::unexpected(error_from_errno(errno, "cannot give it its size"));
    }
    constexpr mode_t mode_bits = 07777;
    if (before != nullptr) {
        // Some file systems know neither.
        std::ignore = ::fchown(file.get(), before->st_uid, before->st_gid);
        std::ignore = ::fchmod(file.get(), before->st_mode & mode_bits);
    }
    Bytes buffer(piece_bytes);
    TRY_OK(resource.drain(buffer));
    return target.commit();
}

} // namespace

Result<> write_to_path(std::filesystem::path const& path, ResourceStream& resource,
                       OnPayload const& on_payload) {
    struct stat status{};
    bool const is_there = ::stat(path.c_str(), &status) == 0;
    auto const write = [&]() -> Result<> {
        if (is_there && !S_ISREG(status.st_mode)) {
            return write_in_place(path, resource, on_payload);
        }
        auto target = OutputFile::create(follow_links(path));
        if (!target && is_there) {
            return write_in_place(path, resource, on_payload);
        }
        return target ? replace_file(*std::move(target), is_there ? &status : nullptr, resource, on_payload)
                      : std::unexpected(std::move(target).error());
    };
    auto done = write();
    return done ? std::move(done) : std::unexpected(std::move(done).error().with_context(path.string()));
}

Result<> write_to_command(std::string const& command, ResourceStream& resource, OnPayload const& on_payload) {
    TRY_OK(resource.judge());
    TRY(auto running, ShellCommand::start(command, Redirect::pipe()));
    auto written =
        write_sequentially(resource, on_payload, [&](BytesView bytes) { return running.write(bytes); });
    auto finished = running.finish();
    if (written || !finished) {
        return finished;
    }
    return std::unexpected(
        std::move(written).error().with_context("'" + command.substr(0, longest_quote_bytes) + "'"));
}

Result<> write_to_ubi_volume(std::filesystem::path const& volume, ResourceStream& resource,
                             OnPayload const& on_payload) {
    TRY_OK(resource.judge());
    TRY(auto const file, open_file(volume, O_RDWR));
    auto const size = static_cast<std::int64_t>(resource.spec().size_bytes());
    if (::ioctl(file.get(), UBI_IOCVOLUP, &size) != 0) {
        return std::unexpected(
            error_from_errno(errno, volume.string() + ": cannot begin to update the UBI volume"));
    }
    if (auto done = write_sequentially(file, resource, on_payload); !done) {
        return std::unexpected(std::move(done).error().with_context(volume.string()));
    }
    return {};
}

Result<> execute(std::string const& command) {
    TRY(auto running, ShellCommand::start(command, Redirect::null()));
    return running.finish();
}

} // namespace sinew::firmware
