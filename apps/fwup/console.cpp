#include "console.hpp"

#include "options.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/firmware/io.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace sinew::fwup {

namespace {

constexpr std::string_view clear_to_end = "\033[K";
constexpr int bar_width = 36;

/// Output that can't be written has nobody to be reported to.
void write_fully(int file, std::string_view text) {
    while (!text.empty()) {
        auto const count = ::write(file, text.data(), text.size());
        if (count <= 0) {
            return;
        }
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

/// What an archive says may come from anywhere: nothing of it is obeyed by a terminal, or looks like a line of
/// fwup's own.
std::string on_lines_of_its_own(std::string_view message) {
    std::string text = printable(message, LineFeed::kept);
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
        text.insert(at + 1, "      ");
    }
    return text;
}

/// "fwup.conf:12:5: ": an error in a script.
bool begins_with_position(std::string_view message) {
    auto const is_number_at = [&](std::size_t& at) {
        auto const begin = at;
        while (at < message.size() && message[at] >= '0' && message[at] <= '9') {
            ++at;
        }
        if (at == begin || at == message.size() || message[at] != ':') {
            return false;
        }
        ++at;
        return true;
    };
    for (auto colon = message.find(':'); colon != std::string_view::npos;
         colon = message.find(':', colon + 1)) {
        auto at = colon + 1;
        if (is_number_at(at) && is_number_at(at)) {
            return true;
        }
    }
    return false;
}

std::string readable_size(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 4> units{"bytes", "KB", "MB", "GB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1000 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f " : "%.2f ", value);
    return text.data() + std::string(units[unit]);
}

} // namespace

void Console::write(std::string_view text) {
    write_fully(STDOUT_FILENO, text);
}

void Console::frame(std::string_view type, std::uint16_t code, std::string_view text) {
    constexpr std::size_t header = 4;
    Bytes bytes(header + 4 + text.size());
    store_be32(bytes, 0, static_cast<std::uint32_t>(4 + text.size()));
    std::ranges::copy(as_bytes(type.substr(0, 2)), bytes.begin() + header);
    bytes[header + 2] = static_cast<std::byte>(code >> 8);
    bytes[header + 3] = static_cast<std::byte>(code & 0xFF);
    std::ranges::copy(as_bytes(text), bytes.begin() + header + 4);
    write(as_text(bytes));
}

void Console::clear_line() {
    if (shows_bar() && m_last_percent >= 0) {
        write("\r" + std::string(clear_to_end));
    }
}

void Console::result(std::string_view text) {
    if (m_options.framing) {
        frame("OK", 0, text);
    } else {
        write(text);
    }
}

void Console::error(std::string_view message) {
    if (m_options.framing) {
        if (m_last_percent < 0 && m_options.progress != ProgressStyle::quiet) {
            frame("PR", 0, "");
        }
        frame("ER", 0, printable(message, LineFeed::kept));
        return;
    }
    if (m_options.command == Command::create && begins_with_position(message)) {
        write_fully(STDERR_FILENO, on_lines_of_its_own(message) + "\n");
        return;
    }
    if (m_options.command == Command::apply && m_options.progress != ProgressStyle::quiet) {
        write_fully(STDERR_FILENO, "\n");
    }
    write("fwup: " + on_lines_of_its_own(message) + "\n");
}

void Console::usage() {
    if (!m_options.framing) {
        write("\n" + fwup::usage());
    }
}

void Console::warning(std::string_view message) {
    info(message);
}

void Console::info(std::string_view message) {
    if (m_options.framing) {
        frame("WN", 0, printable(message, LineFeed::kept));
        return;
    }
    clear_line();
    write("fwup: " + on_lines_of_its_own(message) + "\n");
}

void Console::progress(firmware::Progress const& progress) {
    auto const span = m_options.progress_high - m_options.progress_low;
    int const percent = m_options.progress_low + progress.percent * span / 100;
    if (m_options.progress == ProgressStyle::quiet) {
        return;
    }
    bool const is_new = percent != m_last_percent;
    if (m_options.framing) {
        if (is_new) {
            frame("PR", static_cast<std::uint16_t>(percent), "");
        }
    } else if (m_options.progress == ProgressStyle::numeric) {
        if (is_new) {
            write(std::to_string(percent) + "\n");
        }
    } else if (shows_bar()) {
        auto const now = std::chrono::steady_clock::now();
        constexpr auto shortest_pause = std::chrono::milliseconds(100);
        if (!is_new && now - m_last_drawn < shortest_pause) {
            return;
        }
        m_last_drawn = now;
        auto const filled = static_cast<std::size_t>(std::max(0, percent * bar_width / 100));
        std::array<char, 8> number{};
        std::snprintf(number.data(), number.size(), "\r%3d%%", percent);
        write(std::string(number.data()) + " [" + std::string(filled, '=') +
              std::string(bar_width - filled, ' ') + "] " + readable_size(progress.bytes_in) + " in / " +
              readable_size(progress.bytes_out) + " out " + std::string(clear_to_end));
    }
    m_last_percent = percent;
}

void Console::applied() {
    if (m_options.framing) {
        frame("OK", 0, "");
    } else if (shows_bar()) {
        auto const elapsed =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - m_started).count();
        std::array<char, 48> text{};
        std::snprintf(text.data(), text.size(), "Elapsed time: %.3f s\n", elapsed);
        write("\nSuccess!\n" + std::string(text.data()));
    }
}

int Console::finish(int status) {
    if (m_options.exit_handshake) {
        std::array<char, 2> const handshake{'\x1A', static_cast<char>(status)};
        write(std::string_view(handshake.data(), handshake.size()));
        std::array<char, 4096> ignored{};
        while (::read(STDIN_FILENO, ignored.data(), ignored.size()) > 0) {
        }
    }
    return status;
}

Result<std::size_t> FramedInput::read(MutableBytesView into) {
    while (m_left == 0 && !m_ended) {
        std::array<std::byte, 4> length{};
        std::size_t have = 0;
        while (have < length.size()) {
            TRY(auto const count, read_some(m_file, MutableBytesView(length).subspan(have)));
            if (count == 0) {
                m_ended = true;
                return std::size_t{0};
            }
            have += count;
        }
        m_left = load_be32(length, 0);
        m_ended = m_left == 0;
    }
    if (m_ended || into.empty()) {
        return std::size_t{0};
    }
    TRY(auto const count, read_some(m_file, into.first(std::min<std::size_t>(into.size(), m_left))));
    m_left -= static_cast<std::uint32_t>(count);
    m_ended = count == 0;
    return count;
}

} // namespace sinew::fwup
