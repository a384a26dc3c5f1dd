// Console: lines, colours and the progress bar. See console.hpp.
#include <sinew/base/text.hpp>
#include <sinew/tooling/console.hpp>
#include <sinew/tooling/context.hpp>

#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <cmath>

namespace sinew::tooling {

namespace {

constexpr int bar_width = 30;
constexpr auto redraw_interval = std::chrono::milliseconds(50);
constexpr auto line_interval = std::chrono::seconds(10);

struct Unit {
    std::string_view suffix;
    std::uint64_t size_bytes;
};
constexpr std::array<Unit, 11> units = {{{"KiB", 1ull << 10},
                                         {"MiB", 1ull << 20},
                                         {"GiB", 1ull << 30},
                                         {"K", 1ull << 10},
                                         {"M", 1ull << 20},
                                         {"G", 1ull << 30},
                                         {"KB", 1'000},
                                         {"MB", 1'000'000},
                                         {"GB", 1'000'000'000},
                                         {"B", 1},
                                         {"", 1}}};

std::string progress_text(std::uint64_t done, std::uint64_t total, ProgressUnit unit) {
    if (unit == ProgressUnit::steps) {
        return total == 0 ? fmt::format("{}", done) : fmt::format("{} of {}", done, total);
    }
    if (total == 0) {
        return format_size(done);
    }
    return fmt::format("{:>3}%", std::min(done, total) * 100 / total);
}

} // namespace

ConsoleOptions Console::detect(std::FILE* output) {
    bool const terminal = isatty(fileno(output)) == 1 && environment("TERM") != "dumb";
    return {.colours = terminal && environment("NO_COLOR").empty(), .progress = terminal};
}

std::string Console::paint(std::string_view code, std::string_view text) const {
    return m_options.colours ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
}

std::string Console::bold(std::string_view text) const {
    return paint("1", text);
}

std::string Console::dim(std::string_view text) const {
    return paint("2", text);
}

void Console::line(std::FILE* stream, std::string_view text) {
    // The bar comes back with the next sign of progress.
    if (m_progress_drawn) {
        m_progress_drawn = false;
        fmt::print(m_output, "\r\033[K");
        std::fflush(m_output);
    }
    fmt::print(stream, "{}\n", text);
    std::fflush(stream);
}

void Console::say(std::string_view text) {
    if (!m_options.json) {
        line(m_output, text);
    }
}

void Console::step(std::string_view text) {
    say(bold(text));
}

void Console::success(std::string_view text) {
    say(paint("32", text));
}

void Console::warn(std::string_view text) {
    line(m_diagnostics, fmt::format("{} {}", paint("33", "warning:"), printable(text, LineFeed::kept)));
}

void Console::detail(std::string_view text) {
    if (m_options.verbose) {
        line(m_diagnostics, dim(printable(text, LineFeed::kept)));
    }
}

void Console::timing(std::string_view what, Duration took) {
    detail(fmt::format("  {:<42} {:>9}", what, format_duration(took)));
}

void Console::error(Error const& error) {
    line(m_diagnostics,
         fmt::format("{} {}", paint("31", "error:"), printable(error.message(), LineFeed::kept)));
    if (m_options.json) {
        result(
            object({{"error", object({{"code", to_string(error.code())}, {"message", error.message()}})}}));
    }
}

void Console::result(Value const& value) {
    if (m_options.json) {
        line(m_output, format_json(value, JsonStyle::indented));
    }
}

void Console::progress(std::string_view label, std::uint64_t done, std::uint64_t total, ProgressUnit unit) {
    MonotonicTime const now = SystemClock().now();
    if (!m_in_progress) {
        m_in_progress = true;
        m_progress_began = now;
        m_last_draw = now;
    }
    if (m_options.progress && !m_options.json) {
        if (!m_progress_drawn || now - m_last_draw >= redraw_interval || done == total) {
            m_last_draw = now;
            draw_bar(label, done, total, unit);
        }
    } else if (now - m_last_draw >= line_interval) {
        m_last_draw = now;
        fmt::print(m_diagnostics, "{}: {}\n", label, progress_text(done, total, unit));
        std::fflush(m_diagnostics);
    }
}

void Console::draw_bar(std::string_view label, std::uint64_t done, std::uint64_t total, ProgressUnit unit) {
    m_progress_drawn = true;
    double const seconds = std::chrono::duration<double>(m_last_draw - m_progress_began).count();
    std::string rate;
    if (unit == ProgressUnit::bytes && seconds > 0.2) {
        rate = " " + format_size(static_cast<std::uint64_t>(static_cast<double>(done) / seconds)) + "/s";
    }
    std::string bar;
    if (total != 0) {
        auto const filled = static_cast<int>(std::min(done, total) * bar_width / total);
        bar = fmt::format("[{:=<{}}{:<{}}] ", "", filled, "", bar_width - filled);
    }
    fmt::print(m_output, "\r\033[K{} {}{}{}", label, bar, progress_text(done, total, unit), rate);
    std::fflush(m_output);
}

void Console::end_progress() {
    m_in_progress = false;
    if (m_progress_drawn) {
        m_progress_drawn = false;
        fmt::print(m_output, "\r\033[K");
        std::fflush(m_output);
    }
}

Value object(std::vector<Member> const& members) {
    Value::Object result;
    result.reserve(members.size());
    for (Member const& member : members) {
        result.emplace_back(member.key(), member.value());
    }
    return Value(Value::Data(std::move(result)));
}

std::string format_size(std::uint64_t size_bytes) {
    if (size_bytes < 1000) {
        return fmt::format("{} B", size_bytes);
    }
    auto value = static_cast<double>(size_bytes);
    for (std::string_view const unit : {"kB", "MB", "GB", "TB"}) {
        value /= 1000;
        if (value < 999.5 || unit == "TB") {
            int const decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
            return fmt::format("{:.{}f} {}", value, decimals, unit);
        }
    }
    return {};
}

Result<std::uint64_t> parse_size(std::string_view text) {
    std::string_view suffix = text;
    if (auto const number = take_number<std::uint64_t>(suffix)) {
        for (Unit const& unit : units) {
            if (unit.suffix == suffix && *number <= UINT64_MAX / unit.size_bytes) {
                return *number * unit.size_bytes;
            }
        }
    }
    return failure(
        ErrorCode::invalid_argument,
        fmt::format("'{}' is not a size: write a number with a unit, such as 512MiB or 2GiB", text));
}

} // namespace sinew::tooling
