// The control protocol: any bytes from a client, in any pieces, leave a session within its bounds.
#include "control_session.hpp"
#include "virtual_board.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sinew::sim;
    VirtualBoard board({.wiring = Wiring::pairs, .names = {{"LED0", 0}}});
    ControlSession session(board);
    std::string_view text(reinterpret_cast<char const*>(data), size);
    std::size_t piece = 1;
    while (!text.empty()) {
        session.receive(text.substr(0, piece));
        text.remove_prefix(std::min(piece, text.size()));
        piece = (piece * 7 + 3) % 61 + 1;
        for (std::size_t line = 0; line < Pins::count; ++line) {
            session.level_changed(line, {});
        }
        if (session.waiting().size() > ControlSession::most_waiting_bytes) {
            __builtin_trap();
        }
    }
    return 0;
}
