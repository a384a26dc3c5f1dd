// Watched descriptors: one epoll per worker, each watch armed for one event until its message was handled.
#include "process/kernel.hpp"
#include "process/process.hpp"
#include "scheduler/context.hpp"
#include "scheduler/worker.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/process.hpp>

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace sinew {
namespace {

std::uint32_t events_for(FileInterest interest) noexcept {
    constexpr auto once = static_cast<std::uint32_t>(EPOLLONESHOT);
    switch (interest) {
    case FileInterest::readable:
        return EPOLLIN | EPOLLRDHUP | once;
    case FileInterest::writable:
        return EPOLLOUT | once;
    case FileInterest::both:
        return EPOLLIN | EPOLLOUT | EPOLLRDHUP | once;
    case FileInterest::priority:
        return EPOLLPRI | once;
    }
    return once;
}

} // namespace

Result<FileWatch> FileWatch::create(int fd, FileInterest interest) {
    detail::ProcessScope const scope("FileWatch::create()");
    detail::Process& process = scope.process();
    detail::Worker& worker = *detail::t_context.worker;
    auto watch = std::make_unique<detail::FileWatchRecord>();
    watch->fd = fd;
    watch->events = events_for(interest);
    watch->id = worker.next_sequence();
    watch->process = &process;
    epoll_event event{.events = watch->events, .data = {.u64 = watch->id}};
    if (epoll_ctl(worker.poller_fd(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return std::unexpected(
            error_from_errno(errno, "descriptor " + std::to_string(fd) + " can't be watched"));
    }
    std::uint64_t const id = watch->id;
    process.more().file_watches.push_back(watch.get());
    worker.file_watches.emplace(id, std::move(watch));
    return FileWatch(fd, id);
}

void FileWatch::close() noexcept {
    if (m_fd < 0) {
        return;
    }
    m_fd = -1;
    detail::RuntimeScope const scope;
    detail::ensure_worker();
    detail::Worker* const worker = detail::t_context.worker;
    if (worker == nullptr) {
        return;
    }
    auto const found = worker->file_watches.find(m_id);
    if (found == worker->file_watches.end()) {
        return;
    }
    detail::FileWatchRecord const& watch = *found->second;
    (void)epoll_ctl(worker->poller_fd(), EPOLL_CTL_DEL, watch.fd, nullptr);
    if (watch.process->extras != nullptr) {
        std::erase(watch.process->extras->file_watches, &watch);
    }
    worker->file_watches.erase(found);
}

namespace detail {

void close_file_watches(Worker& worker, Process& process) noexcept {
    for (FileWatchRecord const* const watch : std::exchange(process.extras->file_watches, {})) {
        (void)epoll_ctl(worker.poller_fd(), EPOLL_CTL_DEL, watch->fd, nullptr);
        worker.file_watches.erase(watch->id);
    }
}

bool claim_file_message(Worker& worker, std::uint64_t watch_id) noexcept {
    return worker.file_watches.contains(watch_id);
}

void rearm_file_watch(Worker& worker, std::uint64_t watch_id) noexcept {
    auto const found = worker.file_watches.find(watch_id);
    if (found != worker.file_watches.end()) {
        epoll_event event{.events = found->second->events, .data = {.u64 = watch_id}};
        (void)epoll_ctl(worker.poller_fd(), EPOLL_CTL_MOD, found->second->fd, &event);
    }
}

} // namespace detail
} // namespace sinew
