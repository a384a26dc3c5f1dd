/// System calls behind FileDescriptor and whole files; each retries EINTR and names the path in its error.
#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/may_block.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace sinew {

namespace {

/// Calls `operation` until it is not interrupted by a signal.
template<typename Operation>
auto retry(Operation operation) {
    auto result = operation();
    while (result < 0 && errno == EINTR) {
        result = operation();
    }
    return result;
}

std::unexpected<Error> errno_failure(std::string_view what) {
    return std::unexpected(error_from_errno(errno, what));
}

/// The file behind a descriptor, for error texts.
std::string name_of(FileDescriptor const& file) {
    std::error_code ignored;
    auto const target = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file.get()), ignored);
    return target.empty() ? "descriptor " + std::to_string(file.get()) : target.string();
}

Result<> sync_folder(std::filesystem::path const& folder) {
    TRY(auto const descriptor, open_file(folder, O_RDONLY | O_DIRECTORY));
    if (retry([&] { return ::fsync(descriptor.get()); }) < 0 && errno != EINVAL) {
        return errno_failure("can't sync folder " + folder.string());
    }
    return {};
}

} // namespace

void FileDescriptor::close() noexcept {
    if (m_fd >= 0) {
        ::close(std::exchange(m_fd, -1));
    }
}

Result<FileDescriptor> open_file(std::filesystem::path const& path, int flags, mode_t mode) {
    int const fd = retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
    if (fd < 0) {
        return errno_failure("can't open " + path.string());
    }
    return FileDescriptor(fd);
}

Result<std::size_t> read_some(FileDescriptor const& file, MutableBytesView into) {
    auto const count = retry([&] { return ::read(file.get(), into.data(), into.size()); });
    if (count < 0) {
        return errno_failure("can't read " + name_of(file));
    }
    return static_cast<std::size_t>(count);
}

Result<> read_exactly_at(FileDescriptor const& file, MutableBytesView into, std::uint64_t offset) {
    while (!into.empty()) {
        auto const count =
            retry([&] { return ::pread(file.get(), into.data(), into.size(), static_cast<off_t>(offset)); });
        if (count < 0) {
            return errno_failure("can't read " + name_of(file));
        }
        if (count == 0) {
            return failure(ErrorCode::corrupt, name_of(file) + ": ends at byte " + std::to_string(offset) +
                                                   ", " + std::to_string(into.size()) + " bytes too early");
        }
        into = into.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return {};
}

Result<> write_all(FileDescriptor const& file, BytesView bytes) {
    while (!bytes.empty()) {
        auto const count = retry([&] { return ::write(file.get(), bytes.data(), bytes.size()); });
        if (count < 0) {
            return errno_failure("can't write " + name_of(file));
        }
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

Result<> write_all_at(FileDescriptor const& file, BytesView bytes, std::uint64_t offset) {
    while (!bytes.empty()) {
        auto const count = retry(
            [&] { return ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
        if (count < 0) {
            return errno_failure("can't write " + name_of(file));
        }
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return {};
}

Result<> sync_file(FileDescriptor const& file) {
    assert_may_block("fdatasync");
    if (retry([&] { return ::fdatasync(file.get()); }) < 0) {
        return errno_failure("can't sync " + name_of(file));
    }
    return {};
}

Result<Bytes> read_file(std::filesystem::path const& path, std::size_t limit_bytes) {
    TRY(auto const file, open_file(path, O_RDONLY));
    Bytes content;
    std::size_t used = 0;
    while (true) {
        if (used == content.size()) {
            content.resize(std::min(std::max<std::size_t>(16384, used * 2), limit_bytes + 1));
        }
        TRY(auto const count, read_some(file, MutableBytesView(content).subspan(used)));
        used += count;
        if (used > limit_bytes) {
            return failure(ErrorCode::invalid_argument, path.string() + ": larger than the limit of " +
                                                            std::to_string(limit_bytes) + " bytes");
        }
        if (count == 0) {
            break;
        }
    }
    content.resize(used);
    return content;
}

Result<std::string> read_text_file(std::filesystem::path const& path, std::size_t limit_bytes) {
    TRY(auto const content, read_file(path, limit_bytes));
    return std::string(as_text(content));
}

Result<> write_file_atomically(std::filesystem::path const& path, BytesView bytes, mode_t mode) {
    assert_may_block("an atomic write");
    auto const folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    std::string temporary = (folder / ("." + path.filename().string() + ".XXXXXX")).string();
    FileDescriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!file) {
        return errno_failure("can't make a file in " + folder.string());
    }
    auto const fill = [&]() -> Result<> {
        TRY_OK(write_all(file, bytes));
        if (::fchmod(file.get(), mode) < 0) {
            return errno_failure("can't set the mode of " + temporary);
        }
        TRY_OK(sync_file(file));
        if (::rename(temporary.c_str(), path.c_str()) < 0) {
            return errno_failure("can't replace " + path.string());
        }
        return {};
    };
    if (auto filled = fill(); !filled) {
        ::unlink(temporary.c_str());
        return filled;
    }
    return sync_folder(folder);
}

Result<TemporaryDirectory> TemporaryDirectory::create(std::string_view prefix) {
    std::error_code ignored;
    auto base = std::filesystem::temp_directory_path(ignored);
    std::string name = ((base.empty() ? "/tmp" : base) / (std::string(prefix) + "-XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr) {
        return errno_failure("can't make a temporary folder " + name);
    }
    return TemporaryDirectory(name);
}

TemporaryDirectory& TemporaryDirectory::operator=(TemporaryDirectory&& other) noexcept {
    if (this != &other) {
        remove();
        m_path = std::exchange(other.m_path, {});
    }
    return *this;
}

void TemporaryDirectory::remove() noexcept {
    if (!m_path.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(m_path, ignored);
        m_path.clear();
    }
}

} // namespace sinew
