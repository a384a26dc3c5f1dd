/// Errors, the names of their codes, and the translation of errno values.
#include <sinew/base/result.hpp>

#include <cerrno>
#include <expected>
#include <source_location>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace sinew {

Error::Error(ErrorCode code, std::string message, int sys_errno, std::source_location where)
    : m_rep(new Rep{code, sys_errno, std::move(message), where}) {}

Error Error::with_context(std::string_view what) && {
    m_rep->message.insert(0, std::string(what) + ": ");
    return std::move(*this);
}

Error::Rep* Error::copy(Rep const& rep) {
    return new Rep(rep);
}

void Error::destroy(Rep* rep) noexcept {
    delete rep;
}

std::unexpected<Error> failure(ErrorCode code, std::string message, std::source_location where) {
    return std::unexpected(Error(code, std::move(message), 0, where));
}

std::string_view to_string(ErrorCode code) noexcept {
    switch (code) {
    case ErrorCode::invalid_argument:
        return "invalid_argument";
    case ErrorCode::not_found:
        return "not_found";
    case ErrorCode::exists:
        return "exists";
    case ErrorCode::denied:
        return "denied";
    case ErrorCode::timed_out:
        return "timed_out";
    case ErrorCode::cancelled:
        return "cancelled";
    case ErrorCode::unavailable:
        return "unavailable";
    case ErrorCode::no_space:
        return "no_space";
    case ErrorCode::corrupt:
        return "corrupt";
    case ErrorCode::unsupported:
        return "unsupported";
    case ErrorCode::io:
        return "io";
    case ErrorCode::protocol:
        return "protocol";
    case ErrorCode::internal:
        return "internal";
    }
    return "unknown";
}

namespace {

ErrorCode code_of_errno(int sys_errno) noexcept {
    switch (sys_errno) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
    case ESRCH:
        return ErrorCode::not_found;
    case EEXIST:
        return ErrorCode::exists;
    case EACCES:
    case EPERM:
    case EROFS:
        return ErrorCode::denied;
    case ETIMEDOUT:
        return ErrorCode::timed_out;
    case ECANCELED:
        return ErrorCode::cancelled;
    case EAGAIN:
    case EBUSY:
    case ECONNREFUSED:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return ErrorCode::unavailable;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ErrorCode::no_space;
    case EINVAL:
    case ENAMETOOLONG:
    case ENOTDIR:
    case EISDIR:
        return ErrorCode::invalid_argument;
    case ENOSYS:
    case EOPNOTSUPP:
    case ENOTTY:
        return ErrorCode::unsupported;
    default:
        return ErrorCode::io;
    }
}

} // namespace

Error error_from_errno(int sys_errno, std::string_view what, std::source_location where) {
    std::string message(what);
    message += ": ";
    message += std::generic_category().message(sys_errno);
    return Error(code_of_errno(sys_errno), std::move(message), sys_errno, where);
}

} // namespace sinew
