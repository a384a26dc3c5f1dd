#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/detail/stage_parts.hpp>
#include <sinew/otp/exit_reason.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace sinew::detail {
namespace {

struct EndPending : Pending {
    explicit EndPending(std::function<void(ExitReason const&)> then_function)
        : function(std::move(then_function)) {
        on_reply = [](Pending& base) {
            std::unique_ptr<EndPending> const self(static_cast<EndPending*>(&base));
            Envelope* const envelope = std::exchange(self->reply, nullptr);
            ExitReason reason;
            if (envelope->ops == &failure_ops) {
                FailurePayload const& failure = payload_of<FailurePayload>(*envelope);
                reason = failure.failure == RequestFailure::ended ? failure.reason : ExitReason::noproc();
            }
            envelope->ops->discard(*envelope, ExitReason::normal());
            free_envelope(envelope);
            self->function(reason);
        };
        abandon = [](Pending& base) noexcept { delete static_cast<EndPending*>(&base); };
    }
    std::function<void(ExitReason const&)> function;
};

} // namespace

ReplyPath path_with_end(std::function<void(ExitReason const&)> function) {
    auto pending = std::make_unique<EndPending>(std::move(function));
    arm_pending(*pending, std::nullopt);
    return path_to(*pending.release()); // Owned by the process now.
}

void end_path(ReplyPath& path) {
    if (path) {
        path.answer(make_reply<void>(path));
    }
}

} // namespace sinew::detail
