#include <sinew/base/result.hpp>
#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/state_machine_events.hpp>

#include <expected>
#include <stdexcept>
#include <string>
#include <typeinfo>

namespace sinew::detail {

void throw_unexpected_event(std::type_info const& machine, std::type_info const& event,
                            std::type_info const& state) {
    std::string states = readable_type_name(state);
    // std::tuple<State>
    states = states.substr(states.find('<'));
    throw std::logic_error(readable_type_name(machine) + " has no handler for " + readable_type_name(event) +
                           " in state " + states);
}

std::unexpected<Error> no_first_state(std::type_info const& machine) {
    return failure(ErrorCode::invalid_argument,
                   readable_type_name(machine) + ": init() must call start_in() with the first state");
}

} // namespace sinew::detail
