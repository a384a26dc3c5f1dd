#include "log/channel.hpp"

#include <sinew/base/result.hpp>
#include <sinew/otp/async.hpp>
#include <sinew/otp/log_handler.hpp>
#include <sinew/otp/process.hpp>

#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sinew::log {

/// What is on its way to an output. The process adds, the blocking pool writes; whoever comes first writes
/// all of it, so that the order stays.
class Writer {
public:
    explicit Writer(std::shared_ptr<Output> output)
        : m_output(std::move(output)) {}
    void add(std::vector<RecordPointer> records) {
        std::lock_guard const lock(m_mutex);
        m_records.insert(m_records.end(), std::move_iterator(records.begin()),
                         std::move_iterator(records.end()));
    }
    Result<> write() {
        std::lock_guard const turn(m_turn);
        std::vector<RecordPointer> records;
        {
            std::lock_guard const lock(m_mutex);
            records.swap(m_records);
        }
        return records.empty() ? Result<>() : m_output->write(records);
    }

private:
    std::shared_ptr<Output> m_output;
    /// Held while the output is used.
    std::mutex m_turn;
    std::mutex m_mutex;
    std::vector<RecordPointer> m_records;
};

Handler::Handler(HandlerOptions options)
    : m_options(std::move(options)) {}

Handler::~Handler() {
    if (m_channel) {
        m_options.logger->detach(*m_channel);
    }
}

Result<> Handler::init() {
    if (m_options.logger == nullptr || m_options.output == nullptr) {
        return failure(ErrorCode::invalid_argument, "a log handler needs a logger and an output");
    }
    set_trap_exit(true); // So that it writes what waits before it goes.
    m_writer = std::make_shared<Writer>(m_options.output);
    m_channel = std::make_shared<Channel>(self(), m_options.level, m_options.limits);
    m_options.logger->attach(m_channel);
    return {};
}

void Handler::handle_info(Wake /*message*/) {
    write_what_waits();
}

void Handler::handle_info(Exit const& message) {
    stop(message.reason);
}

void Handler::write_what_waits() {
    if (m_is_writing) {
        return;
    }
    Channel::Batch batch = m_channel->take();
    if (batch.look_again_after) {
        send_after(*batch.look_again_after, Wake{});
    }
    if (batch.records.empty()) {
        return;
    }
    m_is_writing = true;
    m_writer->add(std::move(batch.records));
    blocking([writer = m_writer] { return writer->write(); }).then([this](Result<> const& result) {
        written(result);
    });
}

void Handler::written(Result<> const& result) {
    m_is_writing = false;
    if (!result && !std::exchange(m_is_failing, true)) {
        // The other handlers tell it.
        warning("a log output fails: " + result.error().message());
    } else if (result) {
        m_is_failing = false;
    }
    write_what_waits();
}

Async<> Handler::terminate(ExitReason /*reason*/) {
    m_options.logger->detach(*m_channel);
    m_writer->add(m_channel->close());
    auto last = blocking([writer = m_writer] { return writer->write(); });
    auto const result = co_await last;
    (void)result; // There is nobody left to tell.
}

} // namespace sinew::log
