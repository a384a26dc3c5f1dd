#include "core/process.hpp"

namespace sinew::detail {

void Extras::shrink() {
    links.shrink();
    monitors.shrink();
    watchers.shrink();
    names.shrink_to_fit();
    unanswered.shrink_to_fit();
    held_replies.shrink_to_fit();
    stop_waiters.shrink_to_fit();
    end_waiters.shrink_to_fit();
    file_watches.shrink_to_fit();
    exit_hooks.shrink_to_fit();
    locals.shrink_to_fit();
    blocked_by.shrink_to_fit();
    blocked_senders.shrink_to_fit();
}

bool Extras::is_empty() const noexcept {
    return links.empty() && monitors.empty() && watchers.empty() && !parent &&
           ancestors_for_children == nullptr && type_slot == no_type_slot && names.empty() && label.empty() &&
           !root && ready == nullptr && receiving == nullptr && unanswered.empty() && held_replies.empty() &&
           stop_waiters.empty() && end_waiters.empty() && file_watches.empty() && exit_hooks.empty() &&
           idle_timer.sequence == 0 && locals.empty() && blocked_by.empty() && blocked_senders.empty() &&
           failed_message == nullptr && inspection == nullptr;
}

} // namespace sinew::detail
