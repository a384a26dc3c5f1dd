// A screen of text that is drawn again and again. See live_view.hpp.
#include <sinew/tooling/live_view.hpp>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace sinew::tooling {

namespace {

constexpr std::string_view enter_screen = "\033[?1049h\033[?25l";
constexpr std::string_view leave_screen = "\033[?25h\033[?1049l";
constexpr char ctrl_c = 3;

void put(std::string_view text) {
    while (!text.empty()) {
        ssize_t const written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written <= 0) {
            return;
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

/// Where the first `columns` characters end.
std::size_t cut_after(std::string_view line, std::size_t columns) {
    std::size_t at = 0;
    while (at < line.size() && columns > 0) {
        ++at;
        while (at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0U) == 0x80U) {
            ++at;
        }
        --columns;
    }
    return at;
}

} // namespace

Result<LiveView> LiveView::open() {
    termios before{};
    if (::isatty(STDOUT_FILENO) != 1 || ::tcgetattr(STDIN_FILENO, &before) != 0) {
        return failure(ErrorCode::unsupported, "this is no terminal; use --once");
    }
    termios raw = before;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
    (void)::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    put(enter_screen);
    return LiveView(before);
}

LiveView::LiveView(LiveView&& other) noexcept
    : m_before(other.m_before)
    , m_is_open(std::exchange(other.m_is_open, false)) {}

LiveView::~LiveView() {
    if (m_is_open) {
        put(leave_screen);
        (void)::tcsetattr(STDIN_FILENO, TCSANOW, &m_before);
    }
}

void LiveView::draw(std::string_view text) {
    std::string screen = "\033[H";
    std::string const shown = fit(text, size());
    for (char const c : shown) {
        screen += c == '\n' ? std::string("\033[K\r\n") : std::string(1, c);
    }
    put(screen + "\033[K\033[J");
}

std::optional<char> LiveView::wait_for_key(Duration time) {
    auto const milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    pollfd file{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (::poll(&file, 1, static_cast<int>(std::max<std::int64_t>(milliseconds, 0))) <= 0) {
        return std::nullopt;
    }
    char key = 'q';
    if (::read(STDIN_FILENO, &key, 1) <= 0 || key == ctrl_c) {
        return 'q';
    }
    return key;
}

ScreenSize LiveView::size() {
    winsize found{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &found) != 0 || found.ws_row == 0 || found.ws_col == 0) {
        return {};
    }
    return {.rows = found.ws_row, .columns = found.ws_col};
}

std::string fit(std::string_view text, ScreenSize size) {
    std::string shown;
    for (std::size_t row = 0; row < size.rows && !text.empty(); ++row) {
        std::size_t const end = std::min(text.find('\n'), text.size());
        std::string_view const line = text.substr(0, end);
        shown += (row == 0 ? "" : "\n") + std::string(line.substr(0, cut_after(line, size.columns)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return shown;
}

} // namespace sinew::tooling
