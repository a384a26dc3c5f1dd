/// Poller: the descriptors that a worker's processes watch, and what wakes it from its sleep.
///
/// Invariant: a watch is armed for one event, until its message was handled. Threading: the worker's thread;
/// wake() from any.
#pragma once

#include <sinew/base/file.hpp>

#include <sys/epoll.h>

#include <cstdint>
#include <ctime>
#include <memory>
#include <span>
#include <unordered_map>

namespace sinew::detail {

struct Process;

struct FileWatchRecord {
    int fd = -1;
    std::uint32_t events = 0;
    std::uint64_t id = 0;
    Process* process = nullptr;
};

class Poller {
public:
    /// Throws std::system_error.
    Poller();
    void wake() noexcept;
    /// What has happened to watches, by their ids; waits for `limit` at most (null: for ever). 0, with no
    /// watch of that id, is a wake-up.
    [[nodiscard]] std::span<epoll_event const> wait(std::span<epoll_event> into,
                                                    timespec const* limit) noexcept;
    /// After a wake-up: the next one is seen again.
    void clear_wake() noexcept;
    /// For epoll_ctl(2).
    [[nodiscard]] int fd() const noexcept { return m_epoll.get(); }

    /// By id.
    std::unordered_map<std::uint64_t, std::unique_ptr<FileWatchRecord>> watches;
    std::int64_t last_look_ns = 0;

private:
    FileDescriptor m_epoll;
    FileDescriptor m_wake_event;
};

} // namespace sinew::detail
