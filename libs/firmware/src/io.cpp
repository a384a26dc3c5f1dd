/// Streams and disks over the kernel's files, and in memory.
///
/// Invariant: a read behind the end of a disk yields zeros, never an error, so callers can treat a short
/// image file and a blank disk alike.
#include "null_device.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace sinew::firmware {

namespace {

/// Reads up to `into.size()` bytes at `offset`; short only at the end of the file.
Result<std::size_t> read_up_to(FileDescriptor const& file, MutableBytesView into, std::uint64_t offset,
                               std::string const& name) {
    std::size_t done = 0;
    while (done < into.size()) {
        auto const count =
            ::pread(file.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
        if (count < 0) {
            if (errno == EINTR) {
                continue;
            }
            return std::unexpected(
                error_from_errno(errno, name + ": can't read at byte " + std::to_string(offset + done)));
        }
        if (count == 0) {
            break;
        }
        done += static_cast<std::size_t>(count);
    }
    return done;
}

int open_flags(DeviceAccess access) {
    switch (access) {
    case DeviceAccess::read_only:
        return O_RDONLY;
    case DeviceAccess::read_write:
        return O_RDWR;
    case DeviceAccess::create:
        return O_RDWR | O_CREAT;
    }
    return O_RDONLY;
}

/// What keeps a mistake from being carried out: a mistyped disk would become a file in memory, and a file
/// that was made read-only isn't to be changed, not by root either.
Result<> check_target(std::filesystem::path const& path, std::optional<struct stat> const& before,
                      DeviceAccess access) {
    auto const name = path.lexically_normal().string();
    bool const is_in_dev = name.starts_with("/dev/") && !name.starts_with("/dev/shm/");
    if (!before && is_in_dev && access == DeviceAccess::create) {
        return failure(ErrorCode::not_found,
                       path.string() + ": there is no such device; insert the disk, or name another");
    }
    constexpr mode_t any_write = 0222;
    if (before && access != DeviceAccess::read_only && S_ISREG(before->st_mode) &&
        (before->st_mode & any_write) == 0) {
        return failure(ErrorCode::denied,
                       path.string() + ": is read-only; name another file, or make it writable first");
    }
    return {};
}

/// Only then offsets in the file are offsets in the stream.
bool is_regular_file_at_its_beginning(FileDescriptor const& file) {
    struct stat status{};
    return ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) &&
           ::lseek(file.get(), 0, SEEK_CUR) == 0;
}

} // namespace

Result<> InputStream::skip(std::uint64_t /*count*/) {
    return failure(ErrorCode::unsupported, "this stream can only be read from its beginning to its end");
}

Result<> InputStream::read_at(std::uint64_t /*offset*/, MutableBytesView /*into*/) {
    return failure(ErrorCode::unsupported, "this stream can only be read from its beginning to its end");
}

FileInput::FileInput(FileDescriptor file)
    : m_file(std::move(file))
    , m_can_seek(is_regular_file_at_its_beginning(m_file)) {}

Result<std::unique_ptr<FileInput>> FileInput::open(std::filesystem::path const& path) {
    TRY(auto file, open_file(path, O_RDONLY));
    return std::make_unique<FileInput>(std::move(file));
}

Result<std::size_t> FileInput::read(MutableBytesView into) {
    return read_some(m_file, into);
}

Result<> FileInput::skip(std::uint64_t count) {
    if (!m_can_seek) {
        return InputStream::skip(count);
    }
    if (::lseek(m_file.get(), static_cast<off_t>(count), SEEK_CUR) < 0) {
        return std::unexpected(error_from_errno(errno, "the archive: can't skip a part of it"));
    }
    return {};
}

Result<> FileInput::read_at(std::uint64_t offset, MutableBytesView into) {
    return m_can_seek ? read_exactly_at(m_file, into, offset) : InputStream::read_at(offset, into);
}

std::optional<std::uint64_t> FileInput::size_bytes() const {
    struct stat status{};
    if (::fstat(m_file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(status.st_size);
}

Result<std::size_t> MemoryInput::read(MutableBytesView into) {
    auto const count = std::min(into.size(), m_rest.size());
    std::copy_n(m_rest.begin(), count, into.begin());
    m_rest = m_rest.subspan(count);
    return count;
}

Result<> MemoryInput::skip(std::uint64_t count) {
    m_rest = m_rest.subspan(static_cast<std::size_t>(std::min<std::uint64_t>(count, m_rest.size())));
    return {};
}

Result<> MemoryInput::read_at(std::uint64_t offset, MutableBytesView into) {
    if (offset > m_all.size() || into.size() > m_all.size() - offset) {
        return failure(ErrorCode::corrupt,
                       "the bytes end before byte " + std::to_string(offset + into.size()));
    }
    std::ranges::copy(m_all.subspan(static_cast<std::size_t>(offset), into.size()), into.begin());
    return {};
}

Result<std::unique_ptr<FileDevice>> FileDevice::open(std::filesystem::path const& path, DeviceAccess access) {
    auto const flags = open_flags(access);
    std::optional<struct stat> before(std::in_place);
    if (::stat(path.c_str(), &*before) != 0) {
        before.reset();
    }
    TRY_OK(check_target(path, before, access));
    TRY(auto file, open_file(path, before ? flags & ~O_CREAT : flags));
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) {
        return std::unexpected(error_from_errno(errno, path.string() + ": can't examine it"));
    }
    if (S_ISBLK(status.st_mode)) {
        std::uint64_t size = 0;
        if (::ioctl(file.get(), BLKGETSIZE64, &size) != 0) {
            return std::unexpected(
                error_from_errno(errno, path.string() + ": can't get the size of the device"));
        }
        return std::unique_ptr<FileDevice>(
            new FileDevice(std::move(file), path, size, static_cast<std::uint64_t>(status.st_rdev)));
    }
    if (!S_ISREG(status.st_mode) && !is_null_device(status)) {
        return failure(ErrorCode::invalid_argument,
                       path.string() +
                           ": neither a block device nor a regular file; name a disk or an image file");
    }
    return std::unique_ptr<FileDevice>(
        new FileDevice(std::move(file), path, static_cast<std::uint64_t>(status.st_size), std::nullopt));
}

Result<> FileDevice::read_at(std::uint64_t offset, MutableBytesView into) {
    TRY(auto const count, read_up_to(m_file, into, offset, m_path.string()));
    std::ranges::fill(into.subspan(count), std::byte{0});
    return {};
}

Result<> FileDevice::write_at(std::uint64_t offset, BytesView bytes) {
    if (m_device_number && (offset > m_size_bytes || bytes.size() > m_size_bytes - offset)) {
        return failure(ErrorCode::no_space, m_path.string() + ": a write of " + std::to_string(bytes.size()) +
                                                " bytes at byte " + std::to_string(offset) +
                                                " goes past its end; use a larger disk");
    }
    TRY_OK(write_all_at(m_file, bytes, offset));
    m_size_bytes = std::max(m_size_bytes, offset + bytes.size());
    return {};
}

Result<> FileDevice::sync() {
    auto synced = sync_file(m_file);
    bool const has_nothing_to_sync = !synced && synced.error().sys_errno() == EINVAL; // /dev/null
    return has_nothing_to_sync ? Result<>{} : std::move(synced);
}

Result<> FileDevice::discard(std::uint64_t offset, std::uint64_t length) {
    if (!m_device_number) {
        return {};
    }
    std::array<std::uint64_t, 2> range{offset, length};
    if (::ioctl(m_file.get(), BLKDISCARD, range.data()) != 0 && errno != EOPNOTSUPP && errno != ENOTTY) {
        return std::unexpected(error_from_errno(errno, m_path.string() + ": can't discard"));
    }
    return {};
}

void FileDevice::forget_cached(std::uint64_t offset, std::uint64_t length) {
    (void)::posix_fadvise(m_file.get(), static_cast<off_t>(offset), static_cast<off_t>(length),
                          POSIX_FADV_DONTNEED);
}

Result<> MemoryDevice::read_at(std::uint64_t offset, MutableBytesView into) {
    auto const start = std::min<std::uint64_t>(offset, m_bytes.size());
    auto const count = std::min<std::size_t>(into.size(), m_bytes.size() - start);
    std::copy_n(m_bytes.begin() + static_cast<std::ptrdiff_t>(start), count, into.begin());
    std::ranges::fill(into.subspan(count), std::byte{0});
    return {};
}

Result<> MemoryDevice::write_at(std::uint64_t offset, BytesView bytes) {
    if (offset > m_bytes.size() || bytes.size() > m_bytes.size() - offset) {
        if (m_growth == Growth::fixed) {
            return failure(ErrorCode::no_space, "memory: a write at byte " + std::to_string(offset) +
                                                    " goes past the end of the device; use a larger one");
        }
        m_bytes.resize(offset + bytes.size());
    }
    std::ranges::copy(bytes, m_bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    return {};
}

Result<> MemoryDevice::discard(std::uint64_t /*offset*/, std::uint64_t /*length*/) {
    return {};
}

} // namespace sinew::firmware
