/// Handler: the process between a Logger and one Output.
///
/// Invariant: whoever logs is never blocked by it. Up to OverloadLimits::queue events wait; more, or more
/// than `burst` within `burst_period`, are dropped and counted, and the count is written as an event of its
/// own when there is room again. Events that a handler's own process logs don't come back to it. A handler
/// that ends writes what waits, then detaches.
/// Threading: a process; the output runs on the blocking pool.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/otp/log_output.hpp>
#include <sinew/otp/logger.hpp>
#include <sinew/otp/server.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace sinew::log {

/// When a handler begins to drop events.
struct OverloadLimits {
    /// Events that may wait to be written.
    std::size_t queue = 200;
    /// Events that are taken within `burst_period`.
    std::size_t burst = 500;
    /// See `burst`.
    Duration burst_period = std::chrono::seconds(1);
};

/// What a Handler is made with.
struct HandlerOptions {
    /// Whose events; outlives the handler.
    Logger* logger = nullptr;
    /// Where they go.
    std::shared_ptr<Output> output = {};
    /// Only from this level on.
    Level level = Level::debug;
    /// When to drop.
    OverloadLimits limits = {};
};

class Writer;

/// See the top of the file. `child<log::Handler>({.logger = &logger, .output = ...}, {.id = "stderr"})`.
class Handler : public Server<Handler> {
public:
    using Options = HandlerOptions;
    /// The logger has something.
    struct Wake {};

    explicit Handler(HandlerOptions options);
    ~Handler();
    Handler(Handler const&) = delete;
    Handler& operator=(Handler const&) = delete;
    Handler(Handler&&) = delete;
    Handler& operator=(Handler&&) = delete;
    /// Attaches to the logger. Error invalid_argument: there is no logger, or no output.
    Result<> init();
    void handle_info(Wake message);
    void handle_info(Exit const& message);
    Async<> terminate(ExitReason reason);

private:
    void write_what_waits();
    void written(Result<> const& result);

    HandlerOptions m_options;
    std::shared_ptr<Channel> m_channel;
    std::shared_ptr<Writer> m_writer;
    bool m_is_writing = false;
    bool m_is_failing = false;
};

} // namespace sinew::log
