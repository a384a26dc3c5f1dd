#include "messages/external_reply.hpp"

#include "messages/mailbox.hpp"

#include <sinew/otp/detail/envelope.hpp>

#include <mutex>
#include <utility>

namespace sinew::detail {

void ExternalReply::put(Envelope* envelope) noexcept {
    {
        std::lock_guard const lock(mutex);
        if (!has_given_up) {
            reply = std::exchange(envelope, nullptr);
        }
    }
    changed.notify_all();
    if (envelope != nullptr) {
        bounce(envelope);
    }
}

} // namespace sinew::detail
