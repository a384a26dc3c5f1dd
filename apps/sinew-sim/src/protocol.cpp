// See protocol.hpp.
#include "protocol.hpp"

#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace sinew::sim {

namespace {

std::string_view problem_of(Request const& request) {
    bool const needs_line =
        request.command == Verb::get || request.command == Verb::set || request.command == Verb::release;
    if (needs_line && !request.line) {
        return "this command needs a line";
    }
    if (request.command == Verb::set && (!request.value || (*request.value != 0 && *request.value != 1))) {
        return "set needs the value 0 or 1";
    }
    if (request.command != Verb::set && request.value) {
        return "only set takes a value";
    }
    if (request.command != Verb::temperature && request.celsius) {
        return "only temperature takes celsius";
    }
    return {};
}

} // namespace

Result<Request> parse_request(std::string_view line) {
    if (line.size() > most_line_bytes) {
        return failure(ErrorCode::invalid_argument, "a request has at most 4096 bytes");
    }
    TRY(auto request, from_json<Request>(line, "request"));
    if (std::string_view const problem = problem_of(request); !problem.empty()) {
        return failure(ErrorCode::invalid_argument, std::string(problem));
    }
    return request;
}

Result<std::variant<Reply, LevelEvent>> parse_message(std::string_view line) {
    auto const broken = [](Error const& error) {
        return std::unexpected(
            Error(ErrorCode::protocol, "the simulator sent what is no message: " + error.message()));
    };
    auto const value = parse_json(line, "message");
    if (!value) {
        return broken(Error(ErrorCode::protocol, value.error().message()));
    }
    if (value->find("event") != nullptr) {
        auto event = decode<LevelEvent>(*value, "event");
        return event ? Result<std::variant<Reply, LevelEvent>>(std::move(*event))
                     : broken(std::move(event).error());
    }
    auto reply = decode<Reply>(*value, "reply");
    return reply ? Result<std::variant<Reply, LevelEvent>>(std::move(*reply))
                 : broken(std::move(reply).error());
}

Result<> LineBuffer::append(std::string_view bytes) {
    m_bytes += bytes;
    std::size_t const last_end = m_bytes.rfind('\n');
    std::size_t const unfinished = m_bytes.size() - (last_end == std::string::npos ? 0 : last_end + 1);
    if (unfinished > most_line_bytes) {
        return failure(ErrorCode::invalid_argument, "a line has at most 4096 bytes");
    }
    return {};
}

std::optional<std::string> LineBuffer::next() {
    std::size_t const end = m_bytes.find('\n');
    if (end == std::string::npos) {
        return std::nullopt;
    }
    std::string line = m_bytes.substr(0, end);
    m_bytes.erase(0, end + 1);
    return line;
}

} // namespace sinew::sim
