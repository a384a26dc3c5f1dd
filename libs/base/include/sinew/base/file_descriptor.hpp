/// A number that the kernel gave, and its owner.
///
/// Threading: a FileDescriptor belongs to one thread at a time.
#pragma once

#include <utility>

namespace sinew {

/// Owns one descriptor and closes it when destroyed. -1 is empty.
class FileDescriptor {
public:
    FileDescriptor() = default;
    /// Takes ownership of `fd`.
    explicit FileDescriptor(int fd) noexcept
        : m_fd(fd) {}
    FileDescriptor(FileDescriptor&& other) noexcept
        : m_fd(std::exchange(other.m_fd, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        if (this != &other) {
            close();
            m_fd = std::exchange(other.m_fd, -1);
        }
        return *this;
    }
    FileDescriptor(FileDescriptor const&) = delete;
    FileDescriptor& operator=(FileDescriptor const&) = delete;
    ~FileDescriptor() { close(); }

    /// The number, still owned here.
    [[nodiscard]] int get() const noexcept { return m_fd; }
    [[nodiscard]] explicit operator bool() const noexcept { return m_fd >= 0; }
    /// Gives up ownership.
    [[nodiscard]] int release() noexcept { return std::exchange(m_fd, -1); }
    /// Closes now; harmless when empty.
    void close() noexcept;

private:
    int m_fd = -1;
};

} // namespace sinew
