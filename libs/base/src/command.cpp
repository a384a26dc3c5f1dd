/// Implements run_command(): a program fed and drained by one loop, so that neither side can block the other.
#include <sinew/base/bytes.hpp>
#include <sinew/base/clock.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/file_descriptor.hpp>
#include <sinew/base/line_assembler.hpp>
#include <sinew/base/may_block.hpp>
#include <sinew/base/process.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew {
namespace {

constexpr std::size_t piece_bytes = 64u << 10;
constexpr std::size_t longest_line_bytes = 64u << 10;
constexpr std::size_t longest_quote_bytes = 200;
constexpr std::size_t longest_complaint_bytes = 2000;
// More than a pipe holds: what was written before the end is read, and no chatterer holds us.
constexpr std::size_t last_look_bytes = 1u << 20;

/// One of the two outputs.
class Output {
public:
    Output(FileDescriptor& pipe, std::string& kept, CommandOptions const& options)
        : m_pipe(pipe)
        , m_kept(kept)
        , m_options(options) {}

    [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(m_pipe); }
    [[nodiscard]] int descriptor() const noexcept { return m_pipe.get(); }

    /// Reads once. 0: there is nothing now, or never again.
    std::size_t read_some(MutableBytesView buffer) {
        auto const count = ::read(m_pipe.get(), buffer.data(), buffer.size());
        int const reason = count < 0 ? errno : 0;
        if (reason == EAGAIN || reason == EINTR) {
            return 0;
        }
        if (count <= 0) {
            m_pipe.close();
            return 0;
        }
        auto const size = static_cast<std::size_t>(count);
        auto const text = as_text(buffer.first(size));
        m_kept += text.substr(0, m_options.output_limit_bytes - m_kept.size());
        if (m_options.on_line) {
            m_lines.feed(text, m_options.on_line);
        }
        return size;
    }

    /// Takes what is there already, then no more.
    void read_last(MutableBytesView buffer) {
        for (std::size_t total = 0; is_open() && total < last_look_bytes;) {
            auto const count = read_some(buffer);
            if (count == 0) {
                break;
            }
            total += count;
        }
        m_pipe.close();
    }

    void finish_lines() {
        if (m_options.on_line) {
            m_lines.finish(m_options.on_line);
        }
    }

private:
    FileDescriptor& m_pipe;
    std::string& m_kept;
    CommandOptions const& m_options;
    LineAssembler m_lines{longest_line_bytes};
};

/// A program from its start to its very end.
class Run {
public:
    Run(Process process, CommandOptions const& options, MonotonicTime start)
        : m_process(std::move(process))
        , m_options(options)
        , m_unfed(as_bytes(options.input ? std::string_view(*options.input) : std::string_view())) {
        if (options.timeout) {
            m_deadline = start + *options.timeout;
        }
    }

    /// Feeds and drains until the program has ended and its outputs are closed, or nobody may wait longer.
    Result<CommandResult> to_end() {
        close_input_when_all_is_fed();
        while (true) {
            if (m_ended && !m_output.is_open() && !m_error_output.is_open()) {
                break;
            }
            auto const now = m_clock.now();
            auto const until = waits_until();
            if (until && now >= *until) {
                if (!m_ended) {
                    return end_at_timeout();
                }
                m_output.read_last(m_buffer);
                m_error_output.read_last(m_buffer);
                break;
            }
            TRY_OK(step(until ? std::optional(*until - now) : std::nullopt));
        }
        m_output.finish_lines();
        m_error_output.finish_lines();
        m_result.status = m_ended->shell_status();
        return std::move(m_result);
    }

private:
    [[nodiscard]] std::optional<MonotonicTime> waits_until() const {
        if (!m_ended_at) {
            return m_deadline;
        }
        auto const drained = *m_ended_at + m_options.drain_limit;
        return m_deadline ? std::min(*m_deadline, drained) : drained;
    }

    std::unexpected<Error> end_at_timeout() {
        m_process.end(m_options.end_grace);
        auto const limit_ms = m_options.timeout.value_or(std::chrono::milliseconds(0)).count();
        return failure(ErrorCode::timed_out,
                       "still running after " + std::to_string(limit_ms) + " ms, and killed");
    }

    Result<> step(std::optional<Duration> limit) {
        std::array<pollfd, 4> polled = {pollfd{m_ended ? -1 : m_process.ended().get(), POLLIN, 0},
                                        pollfd{m_process.input().get(), POLLOUT, 0},
                                        pollfd{m_output.descriptor(), POLLIN, 0},
                                        pollfd{m_error_output.descriptor(), POLLIN, 0}};
        timespec left{};
        if (limit) {
            auto const seconds = std::chrono::floor<std::chrono::seconds>(*limit);
            left = {.tv_sec = seconds.count(), .tv_nsec = (*limit - seconds).count()};
        }
        if (::ppoll(polled.data(), polled.size(), limit ? &left : nullptr, nullptr) <= 0) {
            return {};
        }
        if (polled[0].revents != 0) {
            note_end();
        } else if (polled[1].revents != 0) {
            TRY_OK(feed());
        }
        if (polled[2].revents != 0) {
            (void)m_output.read_some(m_buffer);
        }
        if (polled[3].revents != 0) {
            (void)m_error_output.read_some(m_buffer);
        }
        return {};
    }

    void note_end() {
        m_ended = m_process.status();
        if (m_ended) {
            m_ended_at = m_clock.now();
            m_process.input().close();
        }
    }

    void close_input_when_all_is_fed() {
        if (m_unfed.empty() && !m_options.read_input) {
            m_process.input().close();
        }
    }

    Result<> feed() {
        if (m_unfed.empty()) {
            m_piece.resize(piece_bytes);
            TRY(auto const count, m_options.read_input(m_piece));
            m_unfed = BytesView(m_piece).first(count);
            if (count == 0) {
                m_process.input().close();
                return {};
            }
        }
        auto const count = m_process.write_some(m_unfed.first(std::min(m_unfed.size(), piece_bytes)));
        if (!count) {
            m_process.input().close(); // It doesn't want more; its status and words tell why.
            return {};
        }
        m_unfed = m_unfed.subspan(*count);
        close_input_when_all_is_fed();
        return {};
    }

    SystemClock m_clock;
    Process m_process;
    CommandOptions const& m_options;
    BytesView m_unfed;
    Bytes m_piece;
    Bytes m_buffer = Bytes(piece_bytes);
    std::optional<MonotonicTime> m_deadline;
    std::optional<MonotonicTime> m_ended_at;
    std::optional<ExitStatus> m_ended;
    CommandResult m_result;
    Output m_output{m_process.output(), m_result.output, m_options};
    Output m_error_output{m_process.error_output(), m_result.error_output, m_options};
};

std::string quoted(std::vector<std::string> const& arguments) {
    std::string text = join(arguments, " ");
    if (text.size() > longest_quote_bytes) {
        text.resize(longest_quote_bytes);
        text += "…";
    }
    return text;
}

} // namespace

Result<CommandResult> run_command(std::vector<std::string> const& arguments, CommandOptions const& options) {
    assert_may_block("run_command()");
    auto const start = SystemClock().now();
    auto const group = options.timeout ? ProcessGroup::own : ProcessGroup::callers;
    bool const has_input = options.input || options.read_input;
    TRY(auto process, Process::start({.command = arguments,
                                      .working_directory = options.working_directory,
                                      .environment = options.environment,
                                      .input = has_input ? Redirect::pipe() : options.unfed_input,
                                      .output = Redirect::pipe(),
                                      .error_output = options.error_output,
                                      .group = options.group.value_or(group)}));
    auto result = Run(std::move(process), options, start).to_end();
    if (!result) {
        return std::unexpected(std::move(result).error().with_context("'" + quoted(arguments) + "'"));
    }
    return result;
}

Result<std::string> run_checked(std::vector<std::string> const& arguments, CommandOptions const& options) {
    TRY(auto result, run_command(arguments, options));
    if (result.status == 0) {
        return std::move(result.output);
    }
    std::string_view said = trim(result.error_output.empty() ? result.output : result.error_output);
    if (said.size() > longest_complaint_bytes) {
        said.remove_prefix(said.size() - longest_complaint_bytes);
    }
    return failure(ErrorCode::io, "'" + quoted(arguments) + "' failed with status " +
                                      std::to_string(result.status) + (said.empty() ? "" : ": ") +
                                      std::string(said));
}

} // namespace sinew
