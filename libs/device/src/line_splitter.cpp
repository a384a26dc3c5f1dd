/// Implements LineSplitter.
#include <sinew/device/line_splitter.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace sinew::device {
namespace {

LineSplitter::OnLine cleaned(LineSplitter::OnLine const& on_line) {
    return [&on_line](std::string_view raw) {
        auto const is_control = [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; };
        std::string line(raw);
        std::erase(line, '\r');
        std::ranges::replace_if(line, is_control, '?');
        if (!line.empty()) {
            on_line(line);
        }
    };
}

} // namespace

void LineSplitter::feed(std::string_view bytes, OnLine const& on_line) {
    m_lines.feed(bytes, cleaned(on_line));
}

void LineSplitter::finish(OnLine const& on_line) {
    m_lines.finish(cleaned(on_line));
}

} // namespace sinew::device
