/// info, error and reboot_param.
#include "apply/runner.hpp"
#include "functions/arguments.hpp"
#include "functions/function.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/apply.hpp>

#include <array>
#include <span>

namespace sinew::firmware {

namespace {

Result<> info(Runner& runner, Text const& call) {
    if (runner.options().on_message) {
        runner.options().on_message(MessageKind::info, call.text);
    }
    return {};
}

Result<> error(Runner& /*runner*/, Text const& call) {
    return failure(ErrorCode::invalid_argument, call.text);
}

Result<> reboot_param(Runner& runner, Text const& call) {
    runner.set_reboot_param(call.text);
    return {};
}

constexpr std::array rows{
    function<nullptr, info>({"info", 1, 1}),
    function<nullptr, error>({"error", 1, 1}, Trait::fails_in_own_words),
    function<nullptr, reboot_param>({"reboot_param", 1, 1}),
};

} // namespace

std::span<Function const> message_functions() {
    return rows;
}

} // namespace sinew::firmware
