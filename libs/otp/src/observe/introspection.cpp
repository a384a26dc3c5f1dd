// What a process answers when it is asked about itself.
#include "core/context.hpp"
#include "core/inspection.hpp"
#include "core/process.hpp"
#include "log/report.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/detail/type_table.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>
#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/introspection.hpp>
#include <sinew/otp/process.hpp>

#include <optional>
#include <utility>

namespace sinew::detail {

Value Behaviour::encode_state(void* state) const {
    return encode_object(*shown_type, shown_state(state));
}

} // namespace sinew::detail

namespace sinew {

using detail::Process;
using detail::ProcessScope;

ProcessDetails SystemFace::handle_call(GetDetails /*request*/) {
    ProcessScope const scope("GetDetails");
    Process const& process = scope.process();
    ProcessDetails details{.label = detail::label_of(process),
                           .name = detail::name_of(process),
                           .ancestors = detail::ancestors_of(process),
                           .priority = process.priority,
                           .traps_exit = process.has(Process::traps_exit),
                           .state = detail::state_text(process)};
    if (process.extras != nullptr) {
        details.parent = process.extras->parent;
        details.monitors = process.extras->monitors.size();
        details.watchers = process.extras->watchers.size();
        for (auto const& [peer, unused] : process.extras->links.entries()) {
            details.links.push_back(peer);
        }
    }
    return details;
}

Result<Value> SystemFace::handle_call(GetState /*request*/) {
    ProcessScope const scope("GetState");
    Process const& process = scope.process();
    if (process.behaviour->shown_state == nullptr) {
        return failure(ErrorCode::unsupported,
                       detail::readable_type_name(*process.behaviour->type) +
                           " shows no state: it has no state() that returns a described struct");
    }
    return process.behaviour->encode_state(process.state);
}

Result<> SystemFace::handle_call(ReplaceState const& request) {
    ProcessScope const scope("ReplaceState");
    Process const& process = scope.process();
    if (process.behaviour->decode_state == nullptr) {
        return failure(ErrorCode::unsupported,
                       detail::readable_type_name(*process.behaviour->type) +
                           "'s state can't be replaced: it has no state() that returns a described struct "
                           "by a reference that isn't const");
    }
    return process.behaviour->decode_state(process.state, request.state);
}

void SystemFace::handle_call(Suspend /*request*/) {
    ProcessScope const scope("Suspend");
    scope.process().flags |= Process::is_held | Process::is_inspected;
}

void SystemFace::handle_call(Resume /*request*/) {
    ProcessScope const scope("Resume");
    Process& process = scope.process();
    process.flags &= ~Process::is_held;
    detail::drop_unneeded_inspection(process);
}

void SystemFace::handle_call(StartTrace request) {
    ProcessScope const scope("StartTrace");
    Process& process = scope.process();
    if (request.limit == 0 || !request.recipient || request.recipient.pid() == process.pid()) {
        return;
    }
    detail::Inspection& inspection = detail::inspect(process);
    inspection.trace = std::move(request.recipient);
    inspection.trace_left = request.limit;
}

void SystemFace::handle_call(StopTrace /*request*/) {
    ProcessScope const scope("StopTrace");
    Process& process = scope.process();
    if (process.extras != nullptr && process.extras->inspection != nullptr) {
        process.extras->inspection->trace.reset();
        detail::drop_unneeded_inspection(process);
    }
}

void SystemFace::handle_call(StartStatistics /*request*/) {
    ProcessScope const scope("StartStatistics");
    detail::Inspection& inspection = detail::inspect(scope.process());
    inspection.statistics.emplace();
    inspection.counted_since = now();
}

Result<Statistics> SystemFace::handle_call(GetStatistics /*request*/) {
    ProcessScope const scope("GetStatistics");
    Process const& process = scope.process();
    if (process.extras != nullptr && process.extras->inspection != nullptr) {
        detail::Inspection const& inspection = *process.extras->inspection;
        if (std::optional<Statistics> statistics = inspection.statistics) {
            statistics->counted = now() - inspection.counted_since;
            return *statistics;
        }
    }
    return failure(ErrorCode::not_found, "nothing is counted: send StartStatistics first");
}

void SystemFace::handle_call(StopStatistics /*request*/) {
    ProcessScope const scope("StopStatistics");
    Process& process = scope.process();
    if (process.extras != nullptr && process.extras->inspection != nullptr) {
        process.extras->inspection->statistics.reset();
        detail::drop_unneeded_inspection(process);
    }
}

} // namespace sinew
