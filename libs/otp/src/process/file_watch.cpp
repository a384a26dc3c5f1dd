#include "process/file_watch.hpp"

#include "core/context.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "log/report.hpp"
#include "messages/mailbox.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/messages.hpp>
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
    if (epoll_ctl(worker.poller.fd(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return std::unexpected(
            error_from_errno(errno, "descriptor " + std::to_string(fd) + " can't be watched"));
    }
    std::uint64_t const id = watch->id;
    process.more().file_watches.push_back(watch.get());
    worker.poller.watches.emplace(id, std::move(watch));
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
    auto const found = worker->poller.watches.find(m_id);
    if (found == worker->poller.watches.end()) {
        return;
    }
    detail::FileWatchRecord const& watch = *found->second;
    (void)epoll_ctl(worker->poller.fd(), EPOLL_CTL_DEL, watch.fd, nullptr);
    if (watch.process->extras != nullptr) {
        std::erase(watch.process->extras->file_watches, &watch);
    }
    worker->poller.watches.erase(found);
}

namespace detail {
namespace {

/// Begins with what is received.
struct FileMessage {
    FileReady ready;
    std::uint64_t watch_id = 0;
};

void deliver_file_message(void* state, Envelope& envelope) {
    PayloadScope<FileMessage> const message(envelope);
    Process const& process = *t_context.process;
    Worker& worker = *t_context.worker;
    if (!claim_file_message(worker, message->watch_id)) {
        return;
    }
    auto const rearm = [id = message->watch_id](Worker* of) noexcept {
        RuntimeScope const scope;
        ensure_worker();
        rearm_file_watch(*of, id);
    };
    std::unique_ptr<Worker, decltype(rearm)> const at_end(&worker, rearm);
    if (process.behaviour->handle_file != nullptr) {
        process.behaviour->handle_file(state, message->ready);
    } else {
        report_unhandled(process, "a FileReady message");
    }
}

constexpr MessageOps file_message_ops{.deliver = &deliver_file_message,
                                      .discard = &discard_payload<FileMessage>,
                                      .type = &typeid(FileReady),
                                      .form = PayloadForm::message};

} // namespace

void deliver_file_event(Worker& worker, std::uint64_t watch_id, std::uint32_t events) {
    auto const found = worker.poller.watches.find(watch_id);
    if (found == worker.poller.watches.end()) {
        return;
    }
    FileWatchRecord const& watch = *found->second;
    FileReady const ready{.fd = watch.fd,
                          .readable = (events & EPOLLIN) != 0,
                          .writable = (events & EPOLLOUT) != 0,
                          .hung_up = (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0,
                          .priority = (events & EPOLLPRI) != 0};
    enqueue(worker, *watch.process, make_envelope<FileMessage>(file_message_ops, ready, watch_id));
}

std::uint64_t watch_of(Envelope& envelope) noexcept {
    return envelope.ops == &file_message_ops ? payload_of<FileMessage>(envelope).watch_id : 0;
}

void close_file_watches(Worker& worker, Process& process) noexcept {
    for (FileWatchRecord const* const watch : std::exchange(process.extras->file_watches, {})) {
        (void)epoll_ctl(worker.poller.fd(), EPOLL_CTL_DEL, watch->fd, nullptr);
        worker.poller.watches.erase(watch->id);
    }
}

bool claim_file_message(Worker& worker, std::uint64_t watch_id) noexcept {
    return worker.poller.watches.contains(watch_id);
}

void rearm_file_watch(Worker& worker, std::uint64_t watch_id) noexcept {
    auto const found = worker.poller.watches.find(watch_id);
    if (found != worker.poller.watches.end()) {
        epoll_event event{.events = found->second->events, .data = {.u64 = watch_id}};
        (void)epoll_ctl(worker.poller.fd(), EPOLL_CTL_MOD, found->second->fd, &event);
    }
}

} // namespace detail
} // namespace sinew
