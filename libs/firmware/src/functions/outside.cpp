/// path_write, pipe_write, execute and ubi_volume_write: what reaches beyond the disk.
#include "apply/outside.hpp"

#include "apply/checker.hpp"
#include "apply/runner.hpp"
#include "functions/arguments.hpp"
#include "functions/function.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/running_system.hpp>

#include <array>
#include <span>
#include <string>

namespace sinew::firmware {

namespace {

Result<> path_write(Runner& runner, Text const& call) {
    return write_to_path(call.text, runner.resource(), runner.on_payload());
}

Result<> pipe_write(Runner& runner, Text const& call) {
    return write_to_command(call.text, runner.resource(), runner.on_payload());
}

Result<> run_command(Runner& /*runner*/, Text const& call) {
    return execute(call.text);
}

/// A volume isn't judged if the task runs commands, which may make it or change its size.
Result<> check_volume(Checker& checker, Text const& call) {
    auto const& resource = checker.resource();
    auto const capacity = checker.system().ubi_volume_bytes(call.text);
    if (checker.task_runs_commands() || !capacity || resource.size_bytes() <= *capacity) {
        return {};
    }
    return failure(ErrorCode::no_space,
                   "resource '" + resource.name + "' has " + std::to_string(resource.size_bytes()) +
                       " bytes, but the UBI volume " + call.text + " has only " + std::to_string(*capacity) +
                       "; make it smaller" + std::string(nothing_written));
}

Result<> volume_write(Runner& runner, Text const& call) {
    return write_to_ubi_volume(call.text, runner.resource(), runner.on_payload());
}

constexpr std::array rows{
    function<nullptr, path_write>({"path_write", 1, 1}, Trait::writes_resource | Trait::needs_unsafe),
    function<nullptr, pipe_write>({"pipe_write", 1, 1},
                                  Trait::writes_resource | Trait::needs_unsafe | Trait::runs_commands),
    function<nullptr, run_command>({"execute", 1, 1}, Trait::needs_unsafe | Trait::runs_commands),
    function<check_volume, volume_write>({"ubi_volume_write", 1, 1},
                                         Trait::writes_resource | Trait::needs_unsafe),
};

} // namespace

std::span<Function const> outside_functions() {
    return rows;
}

} // namespace sinew::firmware
