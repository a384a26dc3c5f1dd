/// Function after function, each a batch of its own in the cache.
#include "apply/runner.hpp"

#include "apply/outside.hpp"
#include "apply/plan.hpp"
#include "archive/resource_stream.hpp"
#include "disk/output_cache.hpp"
#include "functions/function.hpp"
#include "script/config.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/apply.hpp>

#include <cstdint>
#include <utility>

namespace sinew::firmware {

Runner::Runner(Section const& config, OutputCache& cache, ApplyOptions const& options, OnPayload on_payload)
    : m_config(config)
    , m_cache(cache)
    , m_options(options)
    , m_on_payload(std::move(on_payload))
    , m_buffer(OutputCache::segment_bytes) {}

Result<> Runner::run(PlannedEvent const& event, ResourceStream* resource) {
    m_resource = resource;
    for (auto const& step : event.steps) {
        TRY_OK(m_cache.barrier());
        auto done = step.function->run(*this, step.arguments);
        if (!done && !step.function->has(Trait::fails_in_own_words)) {
            return std::unexpected(std::move(done).error().with_context(step.function->form.name));
        }
        TRY_OK(std::move(done));
    }
    return resource == nullptr ? Result<>{} : drain();
}

Result<> Runner::drain() {
    return m_resource->drain(m_buffer);
}

void Runner::add_table_blocks(std::uint64_t block, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        m_table_blocks.insert(block + i);
    }
}

} // namespace sinew::firmware
