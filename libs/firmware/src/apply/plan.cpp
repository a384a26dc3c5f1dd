/// Finds events, and adds up what they write.
#include "apply/plan.hpp"

#include "archive/resource_stream.hpp"
#include "functions/function.hpp"
#include "script/config.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace sinew::firmware {

std::uint64_t PlannedEvent::payload_bytes() const {
    std::uint64_t total = 0;
    for (auto const& step : steps) {
        if (step.function->has(Trait::writes_resource)) {
            total += resource->stored_bytes();
        } else if (step.function->payload_bytes != nullptr) {
            total += step.function->payload_bytes(step.arguments);
        }
    }
    return total;
}

PlannedEvent const* Plan::find(std::string_view name) const {
    auto const found = std::ranges::find_if(
        events, [&](PlannedEvent const& event) { return event.section->schema->name == name; });
    return found == events.end() ? nullptr : &*found;
}

PlannedEvent const* Plan::find(ResourceSpec const& resource) const {
    auto const found = std::ranges::find(events, &resource, &PlannedEvent::resource);
    return found == events.end() ? nullptr : &*found;
}

std::uint64_t Plan::payload_bytes() const {
    std::uint64_t total = 0;
    for (auto const& event : events) {
        total += event.payload_bytes();
    }
    return total;
}

} // namespace sinew::firmware
