/// Implements run_program().
///
/// Invariant: the program's end is waited for by its pidfd, so that no other child's end is taken away from
/// PID 1.
#include "program.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/exit_status.hpp>
#include <sinew/base/process.hpp>
#include <sinew/base/result.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace sinew::init {
namespace {

constexpr Duration tick = std::chrono::seconds(1);

} // namespace

Result<int> run_program(std::vector<std::string> const& arguments, Duration limit,
                        std::function<void()> const& while_waiting) {
    TRY(auto program, Process::start({.command = arguments}));
    SystemClock const clock;
    auto const deadline = clock.now() + limit;
    while (true) {
        while_waiting();
        auto const left = std::clamp(deadline - clock.now(), Duration::zero(), tick);
        if (auto const status = program.wait_for(left)) {
            return status->shell_status();
        }
        if (left == Duration::zero()) {
            return failure(ErrorCode::timed_out, arguments.front() + " took too long and was ended");
        }
    }
}

} // namespace sinew::init
