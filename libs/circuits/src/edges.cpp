// See edges.hpp. The descriptor says when to look; what it holds is read until it is quiet.
#include "gpio_errors.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits/board.hpp>
#include <sinew/circuits/edges.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/messages.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/server.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <expected>
#include <memory>
#include <string>
#include <utility>

namespace sinew::circuits {

namespace {

constexpr auto patience = std::chrono::seconds(1);
constexpr auto pause_between_tries = std::chrono::milliseconds(10);

} // namespace

EdgeWatcher::EdgeWatcher(Options options)
    : m_options(std::move(options))
    , m_give_up(sinew::now() + patience) {}

Result<> EdgeWatcher::init() {
    set_label("edges of " + m_options.line);
    if (m_options.owner) {
        monitor(m_options.owner); // A link says nothing of a normal end.
    }
    return take_line();
}

Result<> EdgeWatcher::take_line() {
    auto gpio = m_options.board->open_gpio(m_options.line, m_options.gpio);
    if (!gpio) {
        if (gpio.error().sys_errno() == EBUSY && sinew::now() < m_give_up) {
            send_after(pause_between_tries, Look{});
            return {};
        }
        return std::unexpected(std::move(gpio).error());
    }
    m_gpio = std::move(*gpio);
    TRY(m_watch, FileWatch::create(m_gpio->edge_descriptor()));
    return {};
}

void EdgeWatcher::handle_info(FileReady /*ready*/) {
    if (m_gpio) {
        deliver(*m_gpio);
    }
}

void EdgeWatcher::handle_info(Look /*look*/) {
    if (m_gpio) {
        deliver(*m_gpio);
    } else if (auto const taken = take_line(); !taken) {
        stop(ExitReason::error(taken.error().message()));
    }
}

void EdgeWatcher::handle_info(Down const& /*owner_ended*/) {
    stop();
}

void EdgeWatcher::deliver(Gpio& gpio) {
    auto const edges = gpio.read_edges();
    if (!edges) {
        stop(ExitReason::error(edges.error().message()));
        return;
    }
    for (EdgeEvent const& edge : *edges) {
        m_options.to.send({.line = m_options.line,
                           .value = edge.value,
                           .timestamp = edge.timestamp,
                           .sequence = edge.sequence,
                           .missed = edge.missed});
    }
    if (auto const due = gpio.edges_due()) {
        send_after(std::max(*due - sinew::now(), Duration::zero()), Look{});
    }
}

Result<> watch_edges(std::shared_ptr<Board> board, std::string line, GpioOptions options,
                     Recipient<GpioEdge> const& to) {
    TRY(auto info, board->find_line(line));
    if (options.edges == Edges::none) {
        return std::unexpected(edges_not_requested(info));
    }
    spawn_link<EdgeWatcher>(EdgeWatcher::Options{.board = std::move(board),
                                                 .line = std::move(line),
                                                 .gpio = std::move(options),
                                                 .to = to,
                                                 .owner = self()});
    return {};
}

} // namespace sinew::circuits
