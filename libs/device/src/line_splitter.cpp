/// Implements LineSplitter.
///
/// Threading: see the header.
#include <sinew/device/line_splitter.hpp>

#include <algorithm>
#include <string_view>

namespace sinew::device {

void LineSplitter::feed(std::string_view bytes, OnLine const& on_line) {
    for (char const c : bytes) {
        if (c == '\n') {
            hand_on(on_line);
            continue;
        }
        m_line += c;
        if (m_line.size() == max_line_bytes) {
            hand_on(on_line);
        }
    }
}

void LineSplitter::finish(OnLine const& on_line) {
    hand_on(on_line);
}

void LineSplitter::hand_on(OnLine const& on_line) {
    auto const is_control = [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; };
    std::erase(m_line, '\r');
    std::ranges::replace_if(m_line, is_control, '?');
    if (!m_line.empty()) {
        on_line(m_line);
        m_line.clear();
    }
}

} // namespace sinew::device
