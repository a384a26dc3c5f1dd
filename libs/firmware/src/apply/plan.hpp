/// A task as it will be carried out: its functions with their arguments read, and checked.
///
/// Invariant: check_task() makes it, and everything in it has been checked. Threading: a value.
#pragma once

#include "archive/resource_stream.hpp"
#include "functions/arguments.hpp"
#include "functions/function.hpp"
#include "script/config.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace sinew::firmware {

/// One call of a function.
struct Step {
    Function const* function = nullptr;
    Arguments arguments;
};

/// An on-init, on-resource, on-finish or on-error. Borrows from the config, and from the resources.
struct PlannedEvent {
    Section const* section = nullptr;
    /// Of an on-resource, what it consumes.
    ResourceSpec const* resource = nullptr;
    std::vector<Step> steps;

    /// The payload it writes; the measure of progress.
    [[nodiscard]] std::uint64_t payload_bytes() const;
};

struct Plan {
    std::vector<PlannedEvent> events;

    /// An event other than on-resource; nullptr if the task has none of this name.
    [[nodiscard]] PlannedEvent const* find(std::string_view name) const;
    /// The on-resource of a resource.
    [[nodiscard]] PlannedEvent const* find(ResourceSpec const& resource) const;
    [[nodiscard]] std::uint64_t payload_bytes() const;
};

} // namespace sinew::firmware
