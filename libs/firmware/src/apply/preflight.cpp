/// Goes through a task, function by function.
#include "apply/preflight.hpp"

#include "apply/checker.hpp"
#include "apply/plan.hpp"
#include "archive/resource_stream.hpp"
#include "functions/function.hpp"
#include "functions/table.hpp"
#include "script/config.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/running_system.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

namespace {

Result<Step> plan_step(Call const& call, Section const& event, Checker& checker) {
    auto const* const function = call.function;
    TRY_OK(check_function(function, call.words, event.schema->name, Deferred::refused));
    TRY(auto arguments, function->read(call.words));
    if (function->has(Trait::needs_unsafe)) {
        TRY_OK(checker.check_unsafe(call.words[0]));
    }
    if (function->check != nullptr) {
        TRY_OK(function->check(checker, arguments));
    }
    return Step{function, std::move(arguments)};
}

Result<PlannedEvent> plan_event(Preflight const& preflight, Section const& event, Checker& checker) {
    PlannedEvent planned;
    planned.section = &event;
    if (event.schema->name == "on-resource") {
        auto const found = std::ranges::find(preflight.resources, event.title, &ResourceSpec::name);
        if (found == preflight.resources.end()) {
            return failure(ErrorCode::invalid_argument, "task '" + preflight.task.title +
                                                            "' wants resource '" + event.title +
                                                            "', which the archive doesn't have");
        }
        planned.resource = &*found;
    }
    checker.set_resource(planned.resource);
    int consumers = 0;
    for (auto const& call : event.calls) {
        auto step = plan_step(call, event, checker);
        if (!step) {
            return std::unexpected(std::move(step).error().with_context(
                "task '" + preflight.task.title + "', " + std::string(event.schema->name) +
                (event.title.empty() ? "" : " '" + event.title + "'")));
        }
        consumers += step->function->has(Trait::writes_resource) ? 1 : 0;
        planned.steps.push_back(*std::move(step));
    }
    if (consumers > 1) {
        return failure(ErrorCode::invalid_argument, "task '" + preflight.task.title + "' writes resource '" +
                                                        event.title + "' twice; it streams by only once");
    }
    return planned;
}

} // namespace

std::optional<ProtectedBlocks> running_root(BlockDevice const& disk, RunningSystem const& system) {
    auto const number = disk.device_number();
    auto const source = system.mount_source("/");
    if (!number || !source) {
        return std::nullopt;
    }
    constexpr std::string_view why =
        "the system that is running now has its root file system there; apply the task "
        "that writes the other slot";
    if (*number == source->disk_number) {
        return ProtectedBlocks{source->start_block, source->block_count, std::string(why)};
    }
    if (*number == source->partition_number) {
        return ProtectedBlocks{0, source->block_count, std::string(why)};
    }
    return std::nullopt;
}

Result<Plan> check_task(Preflight const& preflight) {
    Checker checker(preflight);
    TRY_OK(checker.find_partitions());
    Plan plan;
    for (auto const& event : preflight.task.sections) {
        TRY(auto planned, plan_event(preflight, event, checker));
        plan.events.push_back(std::move(planned));
    }
    TRY_OK(checker.check_file_systems());
    return plan;
}

} // namespace sinew::firmware
