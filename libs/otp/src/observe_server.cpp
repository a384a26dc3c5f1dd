#include "observe_connection.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/observe.hpp>
#include <sinew/otp/observe_socket.hpp>
#include <sinew/otp/process.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <utility>

namespace sinew::observe {
namespace {

constexpr std::size_t connection_limit = 8;

} // namespace

Server::Server(ServerOptions options)
    : m_options(std::move(options)) {}

Server::~Server() {
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
        auto socket = std::make_shared<FileDescriptor>(
            ::accept4(m_listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!*socket) {
            return;
        }
        if (m_connections == connection_limit) {
            continue; // Closes it.
        }
        ++m_connections;
        current_node().account_time(Node::Accounting::on);
        (void)spawn_link<Connection>(std::move(socket), m_options);
    }
}

void Server::handle_info(Exit const& /*message*/) {
    if (--m_connections == 0) {
        current_node().account_time(Node::Accounting::off);
    }
}

} // namespace sinew::observe
