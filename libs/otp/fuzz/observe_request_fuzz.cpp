// A line from a client of the observe socket: whatever it holds, it is read or refused; what was read is
// within its bounds and reads the same again. (Not the numbers of a state: Boost.JSON rounds the last bit of
// some long ones.)
#include <sinew/otp/observe.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const line(reinterpret_cast<char const*>(data), size);
    (void)sinew::observe::parse_pid(line);
    auto request = sinew::observe::parse_request(line);
    if (!request) {
        return 0;
    }
    if (request->limit < 1 || request->limit > 10'000 || request->wait_ms < 0 || request->wait_ms > 60'000) {
        std::abort();
    }
    std::string const formatted = sinew::observe::format_request(*request);
    if (formatted.size() > sinew::observe::request_limit_bytes) {
        return 0;
    }
    auto again = sinew::observe::parse_request(formatted);
    if (!again) {
        std::abort();
    }
    request->state = {};
    again->state = {};
    if (sinew::observe::format_request(*again) != sinew::observe::format_request(*request)) {
        std::abort();
    }
    return 0;
}
