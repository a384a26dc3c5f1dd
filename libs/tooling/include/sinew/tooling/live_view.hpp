/// LiveView: a screen of text that is drawn again and again until a key ends it.
///
/// Invariant: the terminal is as before when it is destroyed.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>

#include <termios.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::tooling {

struct ScreenSize {
    std::size_t rows = 24;
    std::size_t columns = 80;
};

class LiveView {
public:
    /// Takes over the terminal at standard input and output. Error unsupported: they are none.
    [[nodiscard]] static Result<LiveView> open();
    LiveView(LiveView&& other) noexcept;
    LiveView& operator=(LiveView&&) = delete;
    LiveView(LiveView const&) = delete;
    LiveView& operator=(LiveView const&) = delete;
    ~LiveView();

    /// Replaces what is on the screen; what doesn't fit is cut off.
    void draw(std::string_view text);
    /// The next key, or nothing after `time`. Ctrl-C and the end of input come as 'q'.
    [[nodiscard]] static std::optional<char> wait_for_key(Duration time);
    [[nodiscard]] static ScreenSize size();

private:
    explicit LiveView(termios before)
        : m_before(before) {}
    termios m_before;
    bool m_is_open = true;
};

/// The first `size.rows` lines of `text`, each of `size.columns` characters (UTF-8) at most.
[[nodiscard]] std::string fit(std::string_view text, ScreenSize size);

} // namespace sinew::tooling
