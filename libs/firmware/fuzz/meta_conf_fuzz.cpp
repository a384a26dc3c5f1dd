/// Any text as the meta.conf of an archive whose container is good: parse it, choose a task, check it, run
/// it.
#include "apply/preflight.hpp"
#include "apply/runner.hpp"
#include "apply/task.hpp"
#include "archive/archive_head.hpp"
#include "archive/resource_stream.hpp"
#include "disk/output_cache.hpp"
#include "nothing_mounted.hpp"
#include "script/variables.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

using namespace sinew;
using namespace sinew::firmware;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size > largest_meta_conf) {
        return 0;
    }
    ArchiveHead const head{std::nullopt, std::string(as_text(std::as_bytes(std::span(data, size)))), 0};
    auto const parsed = parse_head(head, Variables());
    if (!parsed) {
        return 0;
    }
    auto const specs = resource_specs(parsed->config);
    constexpr std::uint64_t disk_bytes = 2u << 20;
    MemoryDevice disk(Growth::fixed, disk_bytes);
    NothingMounted const system;
    auto const task = choose_task(parsed->config, "", {disk, system}, {});
    if (!specs || !task) {
        return 0;
    }
    auto const plan = check_task({parsed->config, **task, *specs, disk, system, std::nullopt});
    if (!plan) {
        return 0;
    }
    OutputCache cache(disk, 8);
    ApplyOptions const options;
    Runner runner(parsed->config, cache, options, [](std::uint64_t /*bytes*/) {});
    for (auto const& event : plan->events) {
        if (event.resource == nullptr && !runner.run(event, nullptr)) {
            return 0;
        }
    }
    (void)cache.flush();
    return 0;
}
