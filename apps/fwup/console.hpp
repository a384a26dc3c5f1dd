/// What fwup says: to people, to scripts, or in frames to a program.
///
/// Everything, errors included, goes to standard output, except errors in a script, which go to standard
/// error. Invariant: in framed mode nothing but frames goes anywhere; and no text of an archive is obeyed by a
/// terminal.
/// Threading: belongs to one thread.
#pragma once

#include "options.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sinew::fwup {

class Console {
public:
    explicit Console(Options const& options)
        : m_options(options) {}
    /// The result of a command: text for people or scripts, or an OK frame.
    void result(std::string_view text);
    void error(std::string_view message);
    /// After an error of the command line; programs don't read it.
    void usage();
    void warning(std::string_view message);
    /// From info() in a script.
    void info(std::string_view message);
    void progress(firmware::Progress const& progress);
    /// Ends a successful apply.
    void applied();
    /// Ends the program as its options ask; returns `status`.
    int finish(int status);

private:
    void write(std::string_view text);
    void frame(std::string_view type, std::uint16_t code, std::string_view text);
    void clear_line();
    [[nodiscard]] bool shows_bar() const {
        return m_options.command == Command::apply && m_options.progress == ProgressStyle::normal &&
               !m_options.framing;
    }

    Options const& m_options;
    int m_last_percent = -1;
    std::chrono::steady_clock::time_point m_last_drawn;
    std::chrono::steady_clock::time_point m_started = std::chrono::steady_clock::now();
};

/// Standard input in frames: a big-endian 32-bit length and that many bytes, again and again; length 0 is the
/// end.
class FramedInput final : public firmware::InputStream {
public:
    explicit FramedInput(FileDescriptor file)
        : m_file(std::move(file)) {}
    [[nodiscard]] Result<std::size_t> read(MutableBytesView into) override;

private:
    FileDescriptor m_file;
    std::uint32_t m_left = 0;
    bool m_ended = false;
};

} // namespace sinew::fwup
