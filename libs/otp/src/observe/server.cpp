#include "core/context.hpp"
#include "core/node_core.hpp"
#include "observe/connection.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/observe.hpp>
#include <sinew/otp/observe_socket.hpp>
#include <sinew/otp/process.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

namespace sinew::observe {
namespace {

constexpr std::size_t connection_limit = 8;
/// How long it waits when the system has no descriptor or memory for a connection.
constexpr std::chrono::seconds retry_interval{1};

} // namespace

Server::Server(ServerOptions options)
    : m_options(std::move(options)) {}

Server::~Server() {
    if (m_turned_accounting_on) {
        current_node().account_time(Node::Accounting::off);
    }
    if (m_listener) {
        ::unlink(m_options.path.c_str());
    }
}

Result<> Server::listen() {
    TRY(m_listener, listen_at(m_options.path));
    TRY(m_watch, FileWatch::create(m_listener.get()));
    return {};
}

Result<Start> Server::init() {
    set_label("observe");
    set_trap_exit(true);
    if (Result<> const listening = listen(); !listening) {
        log::notice("can't be observed: " + listening.error().message());
        return Start::ignore;
    }
    return Start::running;
}

void Server::handle_info(FileReady /*ready*/) {
    for (;;) {
        FileDescriptor socket(::accept4(m_listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        int const error = errno;
        if (socket) {
            m_is_short_of_descriptors = false;
            connected(std::move(socket));
        } else if (error == EAGAIN) {
            return;
        } else if (error != EINTR && error != ECONNABORTED) {
            // Who waits stays in the queue, and the socket readable: not to be asked about at once.
            m_watch.close();
            send_after(retry_interval, Retry{});
            if (!std::exchange(m_is_short_of_descriptors, true)) {
                log::warning("can't be observed for now: " +
                             error_from_errno(error, m_options.path.string()).message());
            }
            return;
        }
    }
}

void Server::handle_info(Retry /*message*/) {
    auto watch = FileWatch::create(m_listener.get());
    if (watch) {
        m_watch = *std::move(watch);
    } else {
        send_after(retry_interval, Retry{});
    }
}

void Server::connected(FileDescriptor socket) {
    if (m_connections == connection_limit) {
        return; // Closes it.
    }
    if (m_connections++ == 0) {
        m_turned_accounting_on = !detail::require_core().is_timing.load(std::memory_order_relaxed);
        current_node().account_time(Node::Accounting::on);
    }
    (void)spawn_link<Connection>(std::make_shared<FileDescriptor>(std::move(socket)), m_options,
                                 self().pid());
}

void Server::handle_info(Exit const& /*message*/) {
    if (--m_connections == 0 && std::exchange(m_turned_accounting_on, false)) {
        current_node().account_time(Node::Accounting::off);
    }
}

} // namespace sinew::observe
