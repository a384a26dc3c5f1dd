/// Implements LineAssembler.
#include <sinew/base/line_assembler.hpp>

#include <string_view>

namespace sinew {

void LineAssembler::feed(std::string_view text, OnLine const& on_line) {
    while (!text.empty()) {
        auto const end = text.find('\n');
        auto line = text.substr(0, end);
        while (m_begun.size() + line.size() > m_limit_bytes) {
            auto const fits = m_limit_bytes - m_begun.size();
            m_begun += line.substr(0, fits);
            line.remove_prefix(fits);
            on_line(m_begun);
            m_begun.clear();
        }
        m_begun += line;
        if (end == std::string_view::npos) {
            return;
        }
        on_line(m_begun);
        m_begun.clear();
        text.remove_prefix(end + 1);
    }
}

void LineAssembler::finish(OnLine const& on_line) {
    if (!m_begun.empty()) {
        on_line(m_begun);
        m_begun.clear();
    }
}

} // namespace sinew
