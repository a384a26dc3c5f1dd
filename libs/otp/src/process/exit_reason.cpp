#include <sinew/base/result.hpp>
#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/exit_reason.hpp>

#include <cxxabi.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <expected>
#include <source_location>
#include <string>
#include <string_view>
#include <typeinfo>

namespace sinew {

struct ExitReason::Detail {
    mutable std::atomic<std::uint32_t> references{1};
    Kind kind = Kind::error;
    std::string type;
    std::string text;
    std::string origin;
};

ExitReason::Detail const* ExitReason::detail() const noexcept {
    return m_bits >= first_pointer ? reinterpret_cast<Detail const*>(m_bits) : nullptr;
}

ExitReason ExitReason::with_detail(Kind kind, std::string_view type, std::string_view text,
                                   std::string_view origin) {
    auto* const made = new Detail;
    made->kind = kind;
    made->type = type;
    made->text = text;
    made->origin = origin;
    ExitReason reason;
    reason.m_bits = reinterpret_cast<std::uintptr_t>(made);
    return reason;
}

void ExitReason::retain_detail() const noexcept {
    detail()->references.fetch_add(1, std::memory_order_relaxed);
}

void ExitReason::release_detail() const noexcept {
    if (detail()->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        delete detail();
    }
}

ExitReason ExitReason::shutdown(std::string_view text) {
    return with_detail(Kind::shutdown, {}, text, {});
}

ExitReason ExitReason::mailbox_full() noexcept {
    static ExitReason const reason = with_detail(Kind::error, "mailbox_full", "its mailbox is full", {});
    return reason;
}

ExitReason ExitReason::error(std::string_view text, std::string_view type, std::source_location origin) {
    return with_detail(Kind::error, type, text,
                       std::string(origin.file_name()) + ":" + std::to_string(origin.line()));
}

ExitReason ExitReason::from_exception(std::exception_ptr const& exception, std::string_view origin) {
    try {
        std::rethrow_exception(exception);
    } catch (std::bad_expected_access<Error> const& access) {
        return with_detail(Kind::error, "value() of a failed Result", access.error().message(), origin);
    } catch (std::exception const& error) {
        return with_detail(Kind::error, detail::readable_type_name(typeid(error)), error.what(), origin);
    } catch (...) {
        std::type_info const* const type = abi::__cxa_current_exception_type();
        return with_detail(Kind::error, type != nullptr ? detail::readable_type_name(*type) : "unknown",
                           "an exception that is not a std::exception", origin);
    }
}

ExitReason::Kind ExitReason::kind() const noexcept {
    return detail() != nullptr ? detail()->kind : static_cast<Kind>(m_bits);
}

std::string_view ExitReason::text() const noexcept {
    return detail() != nullptr ? std::string_view(detail()->text) : std::string_view();
}

std::string_view ExitReason::type() const noexcept {
    return detail() != nullptr ? std::string_view(detail()->type) : std::string_view();
}

std::string_view ExitReason::origin() const noexcept {
    return detail() != nullptr ? std::string_view(detail()->origin) : std::string_view();
}

std::string ExitReason::to_string() const {
    switch (kind()) {
    case Kind::normal:
        return "normal";
    case Kind::shutdown:
        return text().empty() ? "shutdown" : "shutdown (" + std::string(text()) + ")";
    case Kind::kill:
        return "kill";
    case Kind::killed:
        return "killed";
    case Kind::noproc:
        return "noproc";
    case Kind::error:
        return std::string(type()) + ": " + std::string(text());
    }
    return "unknown";
}

bool operator==(ExitReason const& a, ExitReason const& b) noexcept {
    return a.kind() == b.kind() && a.type() == b.type() && a.text() == b.text();
}

} // namespace sinew
