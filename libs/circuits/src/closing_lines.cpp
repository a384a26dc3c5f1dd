// See closing_lines.hpp.
#include "closing_lines.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/may_block.hpp>
#include <sinew/otp/process.hpp>

#include <sched.h>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace sinew::circuits {

void run_after_all_others(std::function<void()> const& action) {
    assert_may_block("joining a thread");
    try {
        std::thread([&] {
            sched_param const parameter{};
            ::sched_setscheduler(0, SCHED_IDLE, &parameter); // may fail: then it is as likely as without
            action();
        }).join();
    } catch (std::exception const&) { // no thread to be had
        action();
    }
}

void ClosingLines::close(std::shared_ptr<ClosingLines> const& lines, Key line, FileDescriptor descriptor) {
    {
        std::lock_guard const lock(lines->m_mutex);
        lines->m_lines.insert(line);
    }
    auto const shared = std::make_shared<FileDescriptor>(std::move(descriptor));
    run_in_background_or_here([lines, line = std::move(line), shared] {
        run_after_all_others([&shared] { shared->close(); });
        {
            std::lock_guard const lock(lines->m_mutex);
            lines->m_lines.extract(line);
        }
        lines->m_one_is_closed.notify_all();
    });
}

void ClosingLines::wait_for(Key const& line) {
    std::unique_lock lock(m_mutex);
    m_one_is_closed.wait_for(lock, m_limit, [&] { return !m_lines.contains(line); });
}

} // namespace sinew::circuits
