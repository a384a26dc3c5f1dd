/// Whole files, and reading and writing by descriptor: open, read, write, and replace a file so that power can
/// go at any moment.
///
/// Every call retries EINTR. Errors name the path and the system's reason. Threading: the functions share
/// nothing; all of them block.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/file_descriptor.hpp> // IWYU pragma: export
#include <sinew/base/result.hpp>

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace sinew {

/// open(2) with O_CLOEXEC added. `flags` as there (O_RDONLY, ...); `mode` is used with O_CREAT.
[[nodiscard]] Result<FileDescriptor> open_file(std::filesystem::path const& path, int flags,
                                               mode_t mode = 0644);

/// Reads up to `into.size()` bytes; 0 means end of file.
[[nodiscard]] Result<std::size_t> read_some(FileDescriptor const& file, MutableBytesView into);

/// Fills `into` from `offset`. Error corrupt: the file ends before that.
[[nodiscard]] Result<> read_exactly_at(FileDescriptor const& file, MutableBytesView into,
                                       std::uint64_t offset);

/// Writes all of `bytes` at the current position. Error no_space: the device is full.
[[nodiscard]] Result<> write_all(FileDescriptor const& file, BytesView bytes);

/// Writes all of `bytes` at `offset`.
[[nodiscard]] Result<> write_all_at(FileDescriptor const& file, BytesView bytes, std::uint64_t offset);

/// fdatasync(2): returns when the data is on the medium.
[[nodiscard]] Result<> sync_file(FileDescriptor const& file);

/// The whole file, at most `limit_bytes`. Error invalid_argument: it is larger.
[[nodiscard]] Result<Bytes> read_file(std::filesystem::path const& path, std::size_t limit_bytes = 64u << 20);
[[nodiscard]] Result<std::string> read_text_file(std::filesystem::path const& path,
                                                 std::size_t limit_bytes = 64u << 20);

/// Replaces `path` by `bytes`: written to a new file beside it, fsynced, renamed over it, the folder fsynced.
/// After a power cut the path holds the old content or the new, never a mixture. On an error the old file
/// stays and no temporary file is left behind.
[[nodiscard]] Result<> write_file_atomically(std::filesystem::path const& path, BytesView bytes,
                                             mode_t mode = 0644);

/// A folder of its own below TMPDIR, removed with everything in it when destroyed.
class TemporaryDirectory {
public:
    /// Makes "<TMPDIR or /tmp>/<prefix>-XXXXXX", mode 0700.
    [[nodiscard]] static Result<TemporaryDirectory> create(std::string_view prefix = "sinew");
    TemporaryDirectory(TemporaryDirectory&& other) noexcept
        : m_path(std::exchange(other.m_path, {})) {}
    TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept;
    TemporaryDirectory(TemporaryDirectory const&) = delete;
    TemporaryDirectory& operator=(TemporaryDirectory const&) = delete;
    ~TemporaryDirectory() { remove(); }
    /// Where it is.
    [[nodiscard]] std::filesystem::path const& path() const noexcept { return m_path; }

private:
    explicit TemporaryDirectory(std::filesystem::path path)
        : m_path(std::move(path)) {}
    void remove() noexcept;
    std::filesystem::path m_path;
};

} // namespace sinew
