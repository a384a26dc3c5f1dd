/// The control protocol's other end: what the commands get, set, watch, ... use.
///
/// Threading: an object belongs to one thread. Every call waits for the server, for at most the timeout
/// given.
#pragma once

#include "protocol.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>
#include <variant>

namespace sinew::sim {

class Client {
public:
    /// Errors: as connect_to_unix_socket().
    [[nodiscard]] static Result<Client> connect(std::filesystem::path const& socket_path);

    /// Sends `request` and waits for its reply. A reply that is not ok is an error with the server's text.
    /// Errors: timed_out; protocol; unavailable: the server hung up.
    [[nodiscard]] Result<Reply> ask(Request const& request, std::chrono::milliseconds timeout);
    /// After a watch: the next change. Without a timeout it waits for ever. Errors as for ask().
    [[nodiscard]] Result<LevelEvent> next_event(std::optional<std::chrono::milliseconds> timeout);

private:
    explicit Client(FileDescriptor socket)
        : m_socket(std::move(socket)) {}
    [[nodiscard]] Result<std::variant<Reply, LevelEvent>>
    receive(std::optional<std::chrono::milliseconds> timeout);

    FileDescriptor m_socket;
    LineBuffer m_input;
};

} // namespace sinew::sim
