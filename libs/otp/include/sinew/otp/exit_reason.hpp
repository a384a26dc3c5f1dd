/// ExitReason: why a process ended, or is asked to end.
///
/// One pointer wide; details are shared and immutable. Threading: values, safe to pass between threads.
#pragma once

#include <cstdint>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace sinew {

class ExitReason {
public:
    /// What kind of end it is.
    enum class Kind : std::uint8_t {
        /// It was done. Spreads over no link.
        normal,
        /// It was asked to stop. No report is made; it spreads over links.
        shutdown,
        /// The request to exit() that can't be trapped; what the process then ends with is `killed`.
        kill,
        killed,
        /// There was no such process.
        noproc,
        /// Something went wrong: see type(), text(), origin().
        error
    };

    /// normal
    constexpr ExitReason() = default;
    /// See Kind.
    [[nodiscard]] static ExitReason normal() noexcept { return ExitReason(Kind::normal); }
    [[nodiscard]] static ExitReason shutdown() noexcept { return ExitReason(Kind::shutdown); }
    /// An orderly end that says why.
    [[nodiscard]] static ExitReason shutdown(std::string_view text);
    /// See Kind.
    [[nodiscard]] static ExitReason kill() noexcept { return ExitReason(Kind::kill); }
    [[nodiscard]] static ExitReason killed() noexcept { return ExitReason(Kind::killed); }
    [[nodiscard]] static ExitReason noproc() noexcept { return ExitReason(Kind::noproc); }
    /// What a call that a full mailbox refused is answered with.
    [[nodiscard]] static ExitReason mailbox_full() noexcept;
    /// A failure. `type` is a class of failures ("error", a C++ type's name); `text` is for people.
    [[nodiscard]] static ExitReason error(std::string_view text, std::string_view type = "error",
                                          std::source_location origin = std::source_location::current());
    /// The reason for an exception that left a handler: its type's name and what().
    [[nodiscard]] static ExitReason from_exception(std::exception_ptr const& exception,
                                                   std::string_view origin);

    ExitReason(ExitReason const& other) noexcept
        : m_bits(other.m_bits) {
        retain();
    }
    ExitReason(ExitReason&& other) noexcept
        : m_bits(std::exchange(other.m_bits, 0)) {}
    ExitReason& operator=(ExitReason const& other) noexcept { return *this = ExitReason(other); }
    ExitReason& operator=(ExitReason&& other) noexcept {
        std::swap(m_bits, other.m_bits);
        return *this;
    }
    ~ExitReason() { release(); }

    /// What kind of end it is.
    [[nodiscard]] Kind kind() const noexcept;
    /// Empty unless one was given.
    [[nodiscard]] std::string_view text() const noexcept;
    /// The class of failure; empty unless kind() is error.
    [[nodiscard]] std::string_view type() const noexcept;
    /// Where it came from: "file:line" or the handler's name; may be empty.
    [[nodiscard]] std::string_view origin() const noexcept;
    /// normal or shutdown: nobody needs a report, and a transient child is not restarted.
    [[nodiscard]] bool is_orderly() const noexcept {
        return kind() == Kind::normal || kind() == Kind::shutdown;
    }
    /// "normal", "shutdown (why)", "error std::runtime_error: text".
    [[nodiscard]] std::string to_string() const;
    /// Equal kind, type and text.
    friend bool operator==(ExitReason const& a, ExitReason const& b) noexcept;

private:
    struct Detail;
    explicit constexpr ExitReason(Kind kind) noexcept
        : m_bits(static_cast<std::uintptr_t>(kind)) {}
    [[nodiscard]] Detail const* detail() const noexcept;
    static ExitReason with_detail(Kind kind, std::string_view type, std::string_view text,
                                  std::string_view origin);
    void retain() const noexcept {
        if (m_bits >= first_pointer) {
            retain_detail();
        }
    }
    void release() const noexcept {
        if (m_bits >= first_pointer) {
            release_detail();
        }
    }
    void retain_detail() const noexcept;
    void release_detail() const noexcept;

    static constexpr std::uintptr_t first_pointer = 16;
    /// A Kind below first_pointer, otherwise a Detail const*.
    std::uintptr_t m_bits = 0;
};

} // namespace sinew
