/// Cuts a stream of bytes into lines that are fit for a log.
///
/// Invariant: a line handed on is at most `max_line_bytes` long and holds no control characters.
/// Threading: one owner at a time.
#pragma once

#include <sinew/base/line_assembler.hpp>

#include <cstddef>
#include <string_view>

namespace sinew::device {

class LineSplitter {
public:
    static constexpr std::size_t max_line_bytes = 1000;
    using OnLine = LineAssembler::OnLine;

    /// Hands on every line that `bytes` completes; a longer one in pieces. Empty lines are left out.
    void feed(std::string_view bytes, OnLine const& on_line);
    /// Hands on what has no line feed yet.
    void finish(OnLine const& on_line);

private:
    LineAssembler m_lines{max_line_bytes};
};

} // namespace sinew::device
