/// How a program ended: the one reading of what wait(2) says.
///
/// Threading: values.
#pragma once

#include <optional>
#include <string>

namespace sinew {

/// With a status of its own, or by a signal.
class ExitStatus {
public:
    /// It ended by itself with `code`, 0 to 255.
    [[nodiscard]] static constexpr ExitStatus exited(int code) noexcept {
        return ExitStatus((code & 0xff) << 8);
    }
    /// Signal `number` ended it.
    [[nodiscard]] static constexpr ExitStatus signalled(int number) noexcept {
        return ExitStatus(number & 0x7f);
    }
    /// Somebody else took the news away, such as a SIGCHLD that is ignored. Counts as a failure.
    [[nodiscard]] static constexpr ExitStatus lost() noexcept { return ExitStatus(0x7f); }
    /// From what waitpid(2) wrote about a process that has ended.
    [[nodiscard]] static constexpr ExitStatus from_wait_status(int status) noexcept {
        return ExitStatus(status);
    }

    /// It ended by itself with 0.
    [[nodiscard]] constexpr bool is_success() const noexcept { return m_status == 0; }
    /// The status it ended with, unless a signal ended it.
    [[nodiscard]] constexpr std::optional<int> code() const noexcept {
        return (m_status & 0x7f) == 0 ? std::optional((m_status >> 8) & 0xff) : std::nullopt;
    }
    /// The signal that ended it, if one did.
    [[nodiscard]] constexpr std::optional<int> signal() const noexcept {
        int const number = m_status & 0x7f;
        return number != 0 && number != 0x7f ? std::optional(number) : std::nullopt;
    }
    [[nodiscard]] constexpr bool has_dumped_core() const noexcept {
        return signal() && (m_status & 0x80) != 0;
    }
    /// In one number, as a shell tells it: the status, or 128 + N after signal N; 255 when it was lost.
    [[nodiscard]] constexpr int shell_status() const noexcept {
        auto const number = signal();
        return number ? 128 + *number : code().value_or(255);
    }
    [[nodiscard]] friend constexpr bool operator==(ExitStatus, ExitStatus) noexcept = default;

private:
    explicit constexpr ExitStatus(int status) noexcept
        : m_status(status) {}
    // In the form of waitpid(2).
    int m_status;
};

/// "ended with status 1", "was ended by signal 11 (Segmentation fault), core dumped".
[[nodiscard]] std::string to_string(ExitStatus status);

} // namespace sinew
