/// StopGuard: hears the signals that ask an application to stop, and ends the program when its end takes too
/// long.
///
/// Invariant: the limit counts from the first signal or begin(), whatever the program is doing then. Threading:
/// it has a thread of its own, as those of the node may be stuck, and the main thread waits for them; the
/// functions are the main thread's.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/file_descriptor.hpp>
#include <sinew/otp/log.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace sinew {

class Node;

namespace detail {

/// SIGTERM, SIGINT and SIGHUP come to the guard; a SIGHUP that was ignored at the start (nohup) stays so.
/// Another one says what the end waits for; another SIGINT, which is a person's, ends the program at once.
class StopGuard {
public:
    /// Before any thread is made: all of them inherit that the signals are blocked.
    StopGuard(std::string name, Duration limit);
    StopGuard(StopGuard const&) = delete;
    StopGuard& operator=(StopGuard const&) = delete;
    StopGuard(StopGuard&&) = delete;
    StopGuard& operator=(StopGuard&&) = delete;
    /// The end was in time.
    ~StopGuard();
    /// Becomes readable with the first signal.
    [[nodiscard]] int asked() const noexcept { return m_asked.get(); }
    /// The program ends for another reason.
    void begin() noexcept;

    /// For its life the guard can say what of `node` is in the way; afterwards it knows what was.
    class Watch {
    public:
        Watch(StopGuard& guard, Node& node);
        Watch(Watch const&) = delete;
        Watch& operator=(Watch const&) = delete;
        Watch(Watch&&) = delete;
        Watch& operator=(Watch&&) = delete;
        ~Watch();

    private:
        StopGuard& m_guard;
    };

private:
    void run();
    void hear();
    void start_limit();
    [[nodiscard]] int milliseconds_left() const;
    /// Logs `what`, and what the end waits for.
    void say(log::Level level, std::string_view what);
    [[noreturn]] void end_program(std::string_view why);

    std::string const m_name;
    Duration const m_limit;
    FileDescriptor m_signals;
    FileDescriptor m_asked;
    /// Wakes the thread: begin(), or the end.
    FileDescriptor m_news;
    std::atomic<bool> m_is_over{false};
    std::mutex m_mutex;
    Node* m_node = nullptr;
    /// What was in the way when the watch ended.
    std::string m_left_over;
    // The thread's.
    bool m_is_asked = false;
    std::optional<std::chrono::steady_clock::time_point> m_deadline;
    std::thread m_thread;
};

} // namespace detail
} // namespace sinew
