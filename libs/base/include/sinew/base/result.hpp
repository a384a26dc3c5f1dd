/// Result<T>, Error and the propagation macros every library uses.
///
/// An expected failure is a value: a function that can fail returns Result<T>. Exceptions are for bugs: one
/// that leaves a handler ends the process it ran in, and never steers control flow. Threading: values, as
/// safe as an int.
#pragma once

#include <cstdint>
#include <expected> // IWYU pragma: export
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace sinew {

/// What kind of failure it is, for a caller that branches. The message is for people.
enum class ErrorCode : std::uint8_t {
    invalid_argument,
    not_found,
    exists,
    denied,
    timed_out,
    cancelled,
    unavailable,
    no_space,
    corrupt,
    unsupported,
    io,
    protocol,
    internal
};

/// A failure: a code to branch on, an optional errno, and a message to read. One pointer wide.
class [[nodiscard]] Error {
public:
    /// `message` is a sentence for people; `sys_errno` is 0 when the system has no part in it.
    Error(ErrorCode code, std::string message, int sys_errno = 0,
          std::source_location where = std::source_location::current());
    Error(Error&& other) noexcept
        : m_rep(std::exchange(other.m_rep, nullptr)) {}
    Error& operator=(Error&& other) noexcept {
        std::swap(m_rep, other.m_rep);
        return *this;
    }
    Error(Error const& other)
        : m_rep(other.m_rep != nullptr ? copy(*other.m_rep) : nullptr) {}
    Error& operator=(Error const& other) { return *this = Error(other); }
    ~Error() {
        if (m_rep != nullptr) {
            destroy(m_rep);
        }
    }
    /// To branch on.
    [[nodiscard]] ErrorCode code() const noexcept { return m_rep->code; }
    /// The errno value, or 0.
    [[nodiscard]] int sys_errno() const noexcept { return m_rep->sys_errno; }
    /// For people.
    [[nodiscard]] std::string const& message() const noexcept { return m_rep->message; }
    /// Where the error was made, for logs; never part of message().
    [[nodiscard]] std::source_location where() const noexcept { return m_rep->where; }
    /// Returns this error with `what: ` put before its message; code and errno stay.
    Error with_context(std::string_view what) &&;

private:
    struct Rep {
        ErrorCode code;
        int sys_errno;
        std::string message;
        std::source_location where;
    };
    [[nodiscard]] static Rep* copy(Rep const& rep);
    static void destroy(Rep* rep) noexcept;
    /// Owned. A std::unique_ptr would make this header, which all others include, cost twice as much.
    Rep* m_rep;
};

/// A value or an Error; Result<> carries no value.
template<typename T = void>
using Result = std::expected<T, Error>;

/// The lower-case name of `code`, e.g. "not_found".
[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

/// An Error from an errno value: "what: No such file or directory", with the ErrorCode that fits it best.
[[nodiscard]] Error error_from_errno(int sys_errno, std::string_view what,
                                     std::source_location where = std::source_location::current());

/// Shorthand for `return std::unexpected(Error(code, message))`.
[[nodiscard]] std::unexpected<Error> failure(ErrorCode code, std::string message,
                                             std::source_location where = std::source_location::current());

} // namespace sinew

#define SINEW_CAT2(a, b) a##b
#define SINEW_CAT(a, b) SINEW_CAT2(a, b)
#define SINEW_TRY_IMPL(ret, tmp, lhs, ...)                                                                   \
    auto tmp = (__VA_ARGS__);                                                                                \
    if (!tmp) [[unlikely]]                                                                                   \
        ret std::unexpected(std::move(tmp).error());                                                         \
    lhs = *std::move(tmp)
#define SINEW_CHECK_IMPL(ret, ...)                                                                           \
    do {                                                                                                     \
        if (auto sinew_r = (__VA_ARGS__); !sinew_r) [[unlikely]]                                             \
            ret std::unexpected(std::move(sinew_r).error());                                                 \
    } while (false)
/// TRY(auto fd, open_file(path));  -- declares fd, or returns the error.
#define TRY(lhs, ...) SINEW_TRY_IMPL(return, SINEW_CAT(sinew_try_, __COUNTER__), lhs, __VA_ARGS__)
#define CO_TRY(lhs, ...) SINEW_TRY_IMPL(co_return, SINEW_CAT(sinew_try_, __COUNTER__), lhs, __VA_ARGS__)
/// TRY_OK(sync_file(fd));  -- returns the error of a Result<void>.
#define TRY_OK(...) SINEW_CHECK_IMPL(return, __VA_ARGS__)
#define CO_TRY_OK(...) SINEW_CHECK_IMPL(co_return, __VA_ARGS__)
