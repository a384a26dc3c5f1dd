/// Tasks, by their names and conditions.
#include "apply/task.hpp"

#include "functions/conditions.hpp"
#include "functions/function.hpp"
#include "functions/table.hpp"
#include "script/config.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace sinew::firmware {

namespace {

bool conditions_met(Section const& config, Section const& task, Surroundings const& surroundings) {
    auto const legacy_offset = task.integer("require-partition1-offset");
    if (legacy_offset >= 0 &&
        !primary_begins_at(surroundings.disk, 1, static_cast<std::uint64_t>(legacy_offset))) {
        return false;
    }
    return std::ranges::all_of(task.calls, [&](Call const& call) {
        return check_condition(call.condition, call.words, Deferred::refused) &&
               call.condition->is_met(config, call.words, surroundings);
    });
}

} // namespace

Result<Section const*> choose_task(Section const& config, std::string_view wanted,
                                   Surroundings const& surroundings) {
    std::string considered;
    std::string all;
    for (auto const& task : config.sections) {
        if (task.schema->name != "task") {
            continue;
        }
        all += (all.empty() ? "" : ", ") + task.title;
        if (!task.title.starts_with(wanted)) {
            continue;
        }
        if (conditions_met(config, task, surroundings)) {
            return &task;
        }
        considered += (considered.empty() ? "" : ", ") + task.title;
    }
    if (considered.empty()) {
        return failure(ErrorCode::not_found, "the archive has no task '" + std::string(wanted.substr(0, 60)) +
                                                 "'; it has: " + (all.empty() ? "none" : all));
    }
    return failure(ErrorCode::not_found, "no task '" + std::string(wanted.substr(0, 60)) +
                                             "' fits what is on " + surroundings.disk.name() +
                                             ": the conditions of " + considered +
                                             " aren't met; use firmware that was made for this device");
}

} // namespace sinew::firmware
