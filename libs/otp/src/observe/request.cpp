// The bounded questions of the observe socket.
#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/observe.hpp>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace sinew::observe {
namespace {

Result<> check_range(std::string_view key, std::int64_t value, std::int64_t least, std::int64_t most) {
    if (value < least || value > most) {
        return failure(ErrorCode::invalid_argument, std::string(key) + " must be from " +
                                                        std::to_string(least) + " to " +
                                                        std::to_string(most));
    }
    return {};
}

bool is_about_a_process(Operation operation) noexcept {
    switch (operation) {
    case Operation::snapshot:
    case Operation::log_tail:
    case Operation::log_levels:
        return false;
    case Operation::state:
    case Operation::replace_state:
    case Operation::suspend:
    case Operation::resume:
    case Operation::stop:
    case Operation::statistics:
    case Operation::trace:
        return true;
    }
    return false;
}

/// The number in front of `text`, which is then cut off.
bool take_number(std::string_view& text, std::uint64_t& number) noexcept {
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    bool const was_found = error == std::errc() && end != text.data();
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return was_found;
}

} // namespace

Result<Pid> parse_pid(std::string_view text) {
    std::string_view rest = text;
    if (rest.starts_with('<') && rest.ends_with('>')) {
        rest = rest.substr(1, rest.size() - 2);
    }
    std::uint64_t index = 0;
    std::uint64_t generation = 0;
    bool is_good = take_number(rest, index) && rest.starts_with('.');
    if (is_good) {
        rest.remove_prefix(1);
        is_good = take_number(rest, generation) && rest.empty();
    }
    if (!is_good || index > Pid::index_mask || generation >= std::uint64_t{1} << (63 - Pid::index_bits)) {
        return failure(ErrorCode::invalid_argument, "'" + std::string(text.substr(0, 64)) + "' is no pid");
    }
    return Pid(index, generation);
}

Result<Request> parse_request(std::string_view line) {
    if (line.size() > request_limit_bytes) {
        return failure(ErrorCode::invalid_argument,
                       "a request has at most " + std::to_string(request_limit_bytes) + " bytes");
    }
    TRY(auto request, from_json<Request>(line, "request"));
    TRY_OK(check_range("limit", request.limit, 1, 10'000));
    TRY_OK(check_range("wait_ms", request.wait_ms, 0, 60'000));
    if (is_about_a_process(request.operation) && request.process.empty()) {
        return failure(ErrorCode::invalid_argument, "name the process");
    }
    if (request.operation == Operation::replace_state && request.state.get_if<Value::Object>() == nullptr) {
        return failure(ErrorCode::invalid_argument, "state must be an object");
    }
    return request;
}

std::string format_request(Request const& request) {
    return to_json(request);
}

} // namespace sinew::observe
