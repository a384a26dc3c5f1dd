/// One client's conversation: bytes in, bytes out, without a socket.
///
/// Invariant: at most most_waiting_bytes wait for the client. Level events beyond that are dropped and
/// counted; a reply beyond that ends the session. Threading: for one thread.
#pragma once

#include "protocol.hpp"
#include "virtual_board.hpp"

#include <sinew/base/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sinew::sim {

class ControlSession {
public:
    static constexpr std::size_t most_waiting_bytes = 65536;

    /// `board` is borrowed.
    explicit ControlSession(VirtualBoard& board)
        : m_board(&board) {}

    /// Takes what the client sent, and does what its whole lines ask for.
    void receive(std::string_view bytes);
    /// A line's level has changed; told to the client if it watches that line.
    void level_changed(std::size_t line, MonotonicTime when);

    /// What is to be sent, and that `count` bytes of it were.
    [[nodiscard]] std::string_view waiting() const noexcept { return m_waiting; }
    void sent(std::size_t count) { m_waiting.erase(0, count); }
    /// The client broke the protocol or does not read: send what waits, then hang up.
    [[nodiscard]] bool is_over() const noexcept { return m_is_over; }

private:
    void answer(std::string_view line);
    void reply(Reply const& reply);

    VirtualBoard* m_board;
    LineBuffer m_input;
    std::string m_waiting;
    std::uint8_t m_watched = 0;
    std::int64_t m_sequence = 0;
    std::int64_t m_missed = 0;
    bool m_is_over = false;
};

} // namespace sinew::sim
