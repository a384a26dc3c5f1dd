/// Where an archive comes from and what an update is written to: the two interfaces of the update engine.
///
/// An archive is read forward only, so a socket or a pipe will do. A disk is read and written at byte
/// offsets; what is written may still be lost until sync() returns. Threading: an object belongs to one
/// thread at a time. Everything here may block.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace sinew::firmware {

/// Every count and offset of an update script is in blocks of this many bytes.
inline constexpr std::uint64_t block_size_bytes = 512;

/// A stream of bytes that is read once, from its beginning to its end.
class InputStream {
public:
    InputStream() = default;
    InputStream(InputStream const&) = delete;
    InputStream& operator=(InputStream const&) = delete;
    virtual ~InputStream() = default;
    /// Reads up to `into.size()` bytes and returns how many; 0 means the end.
    [[nodiscard]] virtual Result<std::size_t> read(MutableBytesView into) = 0;
    /// The length of the whole stream if it is known.
    [[nodiscard]] virtual std::optional<std::uint64_t> size_bytes() const { return std::nullopt; }
    /// Whether skip() and read_at() work: a file, unlike a pipe, need not be read to get behind something.
    [[nodiscard]] virtual bool can_seek() const { return false; }
    /// Moves on by `count` bytes without reading them. Error unsupported: it can't seek.
    [[nodiscard]] virtual Result<> skip(std::uint64_t count);
    /// Fills `into` from `offset` of the whole stream; what read() returns next stays the same.
    /// Errors: unsupported: it can't seek; corrupt: the stream ends before.
    [[nodiscard]] virtual Result<> read_at(std::uint64_t offset, MutableBytesView into);
};

/// A file, pipe or socket as an InputStream.
class FileInput final : public InputStream {
public:
    /// Opens `path`. Errors: not_found, denied, io.
    [[nodiscard]] static Result<std::unique_ptr<FileInput>> open(std::filesystem::path const& path);
    /// Takes over a descriptor, e.g. standard input (or a dup of it).
    explicit FileInput(FileDescriptor file);
    [[nodiscard]] Result<std::size_t> read(MutableBytesView into) override;
    [[nodiscard]] std::optional<std::uint64_t> size_bytes() const override;
    [[nodiscard]] bool can_seek() const override { return m_can_seek; }
    [[nodiscard]] Result<> skip(std::uint64_t count) override;
    [[nodiscard]] Result<> read_at(std::uint64_t offset, MutableBytesView into) override;

private:
    FileDescriptor m_file;
    bool m_can_seek;
};

/// Bytes in memory as an InputStream.
class MemoryInput final : public InputStream {
public:
    /// Borrows `bytes`, which must outlive the stream.
    explicit MemoryInput(BytesView bytes)
        : m_all(bytes)
        , m_rest(bytes) {}
    [[nodiscard]] Result<std::size_t> read(MutableBytesView into) override;
    [[nodiscard]] std::optional<std::uint64_t> size_bytes() const override { return m_all.size(); }
    [[nodiscard]] bool can_seek() const override { return true; }
    [[nodiscard]] Result<> skip(std::uint64_t count) override;
    [[nodiscard]] Result<> read_at(std::uint64_t offset, MutableBytesView into) override;

private:
    BytesView m_all;
    BytesView m_rest;
};

/// Whether writes behind the present end make the device longer.
enum class Growth : std::uint8_t {
    fixed, ///< A block device: such a write is an error.
    grows, ///< A regular file.
};

/// A disk or the image of one.
class BlockDevice {
public:
    BlockDevice() = default;
    BlockDevice(BlockDevice const&) = delete;
    BlockDevice& operator=(BlockDevice const&) = delete;
    virtual ~BlockDevice() = default;
    /// Fills `into`. Bytes behind the present end read as zero.
    [[nodiscard]] virtual Result<> read_at(std::uint64_t offset, MutableBytesView into) = 0;
    /// Writes all of `bytes`. It may be lost at a power cut until sync() has returned. Errors: no_space, io.
    [[nodiscard]] virtual Result<> write_at(std::uint64_t offset, BytesView bytes) = 0;
    /// Returns when everything written before is on the medium.
    [[nodiscard]] virtual Result<> sync() = 0;
    /// Writes after it reach the medium after those before it, and not at the same time. A device that keeps
    /// writes back may keep the order without waiting.
    [[nodiscard]] virtual Result<> barrier() { return sync(); }
    /// Tells the medium that a range's content isn't needed. May do nothing; the content is undefined
    /// afterwards.
    [[nodiscard]] virtual Result<> discard(std::uint64_t offset, std::uint64_t length) = 0;
    /// What the kernel remembers of a range is dropped, so that the next read comes from the medium. May do
    /// nothing.
    virtual void forget_cached(std::uint64_t offset, std::uint64_t length) {
        (void)offset;
        (void)length;
    }
    /// The present length.
    [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
    [[nodiscard]] virtual Growth growth() const = 0;
    /// What to call it in an error text.
    [[nodiscard]] virtual std::string name() const = 0;
    /// The kernel's number (st_rdev) if this is a block special file; used to recognise the running disk.
    [[nodiscard]] virtual std::optional<std::uint64_t> device_number() const { return std::nullopt; }
};

enum class DeviceAccess : std::uint8_t {
    read_only,
    read_write,
    /// Like read_write, and an image file that doesn't exist is made; in /dev only in /dev/shm.
    create,
};

/// A block special file, an image file, or, for a task that writes to no disk, /dev/null: it reads as zeros.
class FileDevice final : public BlockDevice {
public:
    /// Errors: not_found; denied: also a file that nobody may write, whoever asks; unavailable: the device is
    /// claimed by somebody else (for example mounted elsewhere).
    [[nodiscard]] static Result<std::unique_ptr<FileDevice>> open(std::filesystem::path const& path,
                                                                  DeviceAccess access);
    [[nodiscard]] Result<> read_at(std::uint64_t offset, MutableBytesView into) override;
    [[nodiscard]] Result<> write_at(std::uint64_t offset, BytesView bytes) override;
    [[nodiscard]] Result<> sync() override;
    [[nodiscard]] Result<> discard(std::uint64_t offset, std::uint64_t length) override;
    void forget_cached(std::uint64_t offset, std::uint64_t length) override;
    [[nodiscard]] std::uint64_t size_bytes() const override { return m_size_bytes; }
    [[nodiscard]] Growth growth() const override { return m_device_number ? Growth::fixed : Growth::grows; }
    [[nodiscard]] std::string name() const override { return m_path.string(); }
    [[nodiscard]] std::optional<std::uint64_t> device_number() const override { return m_device_number; }

private:
    FileDevice(FileDescriptor file, std::filesystem::path path, std::uint64_t size_bytes,
               std::optional<std::uint64_t> device_number)
        : m_file(std::move(file))
        , m_path(std::move(path))
        , m_size_bytes(size_bytes)
        , m_device_number(device_number) {}
    FileDescriptor m_file;
    std::filesystem::path m_path;
    std::uint64_t m_size_bytes;
    std::optional<std::uint64_t> m_device_number;
};

/// A disk in memory, for tests and for composing images.
class MemoryDevice final : public BlockDevice {
public:
    explicit MemoryDevice(Growth growth = Growth::grows, std::uint64_t size_bytes = 0)
        : m_bytes(size_bytes)
        , m_growth(growth) {}
    [[nodiscard]] Result<> read_at(std::uint64_t offset, MutableBytesView into) override;
    [[nodiscard]] Result<> write_at(std::uint64_t offset, BytesView bytes) override;
    [[nodiscard]] Result<> sync() override { return {}; }
    [[nodiscard]] Result<> discard(std::uint64_t offset, std::uint64_t length) override;
    [[nodiscard]] std::uint64_t size_bytes() const override { return m_bytes.size(); }
    [[nodiscard]] Growth growth() const override { return m_growth; }
    [[nodiscard]] std::string name() const override { return "memory"; }
    [[nodiscard]] Bytes const& bytes() const noexcept { return m_bytes; }

private:
    Bytes m_bytes;
    Growth m_growth;
};

/// How far a long operation is. Called often; return quickly.
struct Progress {
    /// 0..100; 100 only when everything is on the medium.
    int percent = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
};

} // namespace sinew::firmware
