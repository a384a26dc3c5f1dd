#include "core/run_queue.hpp"

#include <cstddef>

namespace sinew::detail {

void RunQueue::push_back(Process& process) noexcept {
    Line& at = line(process.priority);
    process.next_runnable = nullptr;
    (at.first == nullptr ? at.first : at.last->next_runnable) = &process;
    at.last = &process;
    ++at.size;
    ++m_size;
}

RunQueue::Line* RunQueue::next_line() noexcept {
    Line& normal = line(Priority::normal);
    Line& low = line(Priority::low);
    if (Line& high = line(Priority::high); high.first != nullptr) {
        return &high;
    }
    if (low.first == nullptr) {
        return normal.first != nullptr ? &normal : nullptr;
    }
    if (normal.first != nullptr && ++m_normal_turns < normal_turns_per_low) {
        return &normal;
    }
    m_normal_turns = 0;
    return &low;
}

Process* RunQueue::pop() noexcept {
    Line* const from = next_line();
    if (from == nullptr) {
        return nullptr;
    }
    Process* const process = from->first;
    from->first = process->next_runnable;
    --from->size;
    --m_size;
    return process;
}

Process* RunQueue::pop_chosen(Chooser& chooser) {
    Line* const from = next_line();
    if (from == nullptr) {
        return nullptr;
    }
    std::size_t skip = from->size > 1 ? chooser.choose(from->size) : 0;
    Process** link = &from->first;
    Process* previous = nullptr;
    for (; skip != 0; --skip) {
        previous = *link;
        link = &previous->next_runnable;
    }
    Process* const process = *link;
    *link = process->next_runnable;
    if (process == from->last) {
        from->last = previous;
    }
    --from->size;
    --m_size;
    return process;
}

} // namespace sinew::detail
