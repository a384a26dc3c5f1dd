// What a request that failed is answered with, and the error that becomes of it.
#include "messages/pending.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/detail/pending.hpp>

#include <cstdint>
#include <string>

namespace sinew::detail {
namespace {

void discard_failure(Envelope& envelope, ExitReason const& /*reason*/) noexcept {
    destroy_payload<FailurePayload>(envelope);
}

} // namespace

constinit MessageOps const failure_ops{
    .kind = EnvelopeKind::reply, .discard = &discard_failure, .is_heap = !fits_inline<FailurePayload>};

Envelope* make_failure(std::uint64_t ref, RequestFailure failure, ExitReason const& reason) {
    return make_envelope<FailurePayload>(failure_ops, ReplyHeader{ref}, failure, reason);
}

Error make_request_error(Envelope& reply, RequestLabel const& label) {
    PayloadScope<FailurePayload> const failure(reply);
    std::string who = label.target_type != nullptr ? readable_type_name(*label.target_type)
                                                   : std::string(label.target_name);
    if (label.target) {
        who += " " + label.target.to_string();
    }
    std::string const what =
        label.request_type != nullptr ? " (asked " + readable_type_name(*label.request_type) + ")" : "";
    std::string const why = failure->reason.to_string();
    switch (failure->failure) {
    case RequestFailure::ended:
        if (failure->reason.kind() == ExitReason::Kind::noproc) {
            return {ErrorCode::not_found, who + what + ": no such process"};
        }
        if (failure->reason.type() == ExitReason::mailbox_full().type()) {
            return {ErrorCode::unavailable, who + what + ": its mailbox is full"};
        }
        return {ErrorCode::unavailable, who + what + " ended before it answered: " + why};
    case RequestFailure::timed_out:
        return {ErrorCode::timed_out, who + what + " did not answer in time"};
    case RequestFailure::calling_self:
        return {ErrorCode::invalid_argument, who + what + ": a process can't wait for its own answer"};
    case RequestFailure::dropped:
        return {ErrorCode::unavailable, who + what + " dropped the question without an answer"};
    case RequestFailure::work_threw:
        return {ErrorCode::internal, who + " failed: " + why};
    case RequestFailure::pool_full:
        return {ErrorCode::unavailable, who + " was refused: as much waits for the blocking pool as may "
                                              "(NodeOptions::blocking_queue)"};
    case RequestFailure::start_failed:
        return {ErrorCode::unavailable, who + " failed to start: " + why};
    case RequestFailure::name_taken:
        return {ErrorCode::exists, who + " failed to start: " + std::string(failure->reason.text())};
    }
    return {ErrorCode::internal, who + what + ": unknown failure"};
}

} // namespace sinew::detail
