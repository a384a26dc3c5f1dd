/// Looking into a running application: the client of its observe socket, and what `sinew observe` and
/// `sinew top` print.
///
/// One thread; ask() blocks until the answer or its time limit.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/file_descriptor.hpp>
#include <sinew/base/process.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>
#include <sinew/otp/observe.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::tooling {

/// Whether the runtime's own processes are shown: log handlers, observers.
enum class Internals : std::uint8_t { left_out, shown };

/// A connection to one application.
class Observer {
public:
    /// To a socket of this machine. Errors as connect(2).
    [[nodiscard]] static Result<Observer> connect(std::filesystem::path const& socket);
    /// To what `command` (ssh and the relay on a device) connects its standard input and output to. Errors:
    /// not_found: no such program.
    [[nodiscard]] static Result<Observer> run(std::vector<std::string> const& command);
    Observer(Observer&&) noexcept = default;
    Observer& operator=(Observer&&) noexcept = default;
    Observer(Observer const&) = delete;
    Observer& operator=(Observer const&) = delete;
    ~Observer();

    /// Asks, and waits for as long as the question itself takes and ten seconds. Errors: invalid_argument:
    /// the application refused (in its words); timed_out; unavailable: the connection is gone; protocol: the
    /// answer is none.
    [[nodiscard]] Result<Value> ask(observe::Request const& request);
    /// What its node is doing. Errors as for ask().
    [[nodiscard]] Result<observe::Snapshot> snapshot(Internals internals = Internals::left_out);

private:
    Observer(FileDescriptor socket, std::optional<Process> relay)
        : m_relay(std::move(relay))
        , m_socket(std::move(socket)) {}
    [[nodiscard]] Result<> send(std::string_view text);
    [[nodiscard]] Result<std::string> read_line(MonotonicTime deadline);

    std::optional<Process> m_relay;
    FileDescriptor m_socket;
    std::string m_received;
};

/// The answer in a line of the protocol. Errors as for Observer::ask().
[[nodiscard]] Result<Value> parse_answer(std::string_view line);

/// How `sinew top` orders its lines; the largest first.
enum class TopOrder : std::uint8_t { rate, mailbox, handled };

/// "blinky 1.0  12 processes  2 schedulers 3 % 1 %  4.1 MB": what is said above a tree or table.
[[nodiscard]] std::string headline(observe::Snapshot const& before, observe::Snapshot const& now);
/// A table of the `lines` processes that come first in `order`; rates are between the two snapshots.
[[nodiscard]] std::string top_table(observe::Snapshot const& before, observe::Snapshot const& now,
                                    TopOrder order, std::size_t lines);

} // namespace sinew::tooling
