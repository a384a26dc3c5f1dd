// See control_session.hpp.
#include "control_session.hpp"

#include "protocol.hpp"
#include "virtual_board.hpp"

#include <sinew/base/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::sim {

void ControlSession::receive(std::string_view bytes) {
    if (m_is_over) {
        return;
    }
    auto const taken = m_input.append(bytes);
    while (auto const line = m_input.next()) {
        answer(*line);
    }
    if (!taken) {
        reply({.ok = false, .error = taken.error().message(), .lines = {}, .celsius = {}});
        m_is_over = true;
    }
}

void ControlSession::answer(std::string_view line) {
    auto const request = parse_request(line);
    if (!request) {
        reply({.ok = false, .error = request.error().message(), .lines = {}, .celsius = {}});
        return;
    }
    Reply const answer = m_board->handle(*request);
    if (answer.ok && request->command == Verb::watch) {
        for (LineState const& state : answer.lines) {
            m_watched = static_cast<std::uint8_t>(m_watched | (1U << static_cast<unsigned>(state.line)));
        }
    }
    reply(answer);
}

void ControlSession::reply(Reply const& reply) {
    std::string const text = format_line(reply);
    if (m_waiting.size() + text.size() > most_waiting_bytes) {
        m_is_over = true;
        return;
    }
    m_waiting += text;
}

void ControlSession::level_changed(std::size_t line, MonotonicTime when) {
    if (m_is_over || ((m_watched >> line) & 1U) == 0) {
        return;
    }
    LineState const state = m_board->state(line);
    LevelEvent event;
    event.line = state.line;
    event.name = state.name;
    event.value = state.value;
    event.time_ns = when.time_since_epoch().count();
    event.sequence = ++m_sequence;
    event.missed = m_missed;
    std::string const text = format_line(event);
    if (m_waiting.size() + text.size() > most_waiting_bytes) {
        ++m_missed;
        return;
    }
    m_missed = 0;
    m_waiting += text;
}

} // namespace sinew::sim
