/// Puts lines together from a stream that comes in pieces.
///
/// Invariant: no more than the limit is held, whatever comes. Threading: one owner at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace sinew {

class LineAssembler {
public:
    using OnLine = std::function<void(std::string_view line)>;

    /// A line longer than `limit_bytes` is handed on in pieces of that length.
    explicit LineAssembler(std::size_t limit_bytes)
        : m_limit_bytes(limit_bytes) {}

    /// Hands on each line that `text` completes, without its line feed.
    void feed(std::string_view text, OnLine const& on_line);
    /// Hands on what came after the last line feed, if anything did.
    void finish(OnLine const& on_line);

private:
    std::size_t m_limit_bytes;
    std::string m_begun;
};

} // namespace sinew
