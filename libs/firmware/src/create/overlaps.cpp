/// Collects where each call of a task writes, and compares.
#include "create/overlaps.hpp"

#include "archive/resource_stream.hpp"
#include "functions/arguments.hpp"
#include "functions/function.hpp"
#include "functions/partition_tables.hpp"
#include "functions/table.hpp"
#include "script/config.hpp"
#include "script/parser.hpp"

#include <sinew/base/result.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::string_view advice = "; move one, or allow it with --allow-overlaps";

using FileSystems = std::map<std::uint64_t, std::uint64_t>;

/// A call that was judged, and where it writes.
struct Writer {
    Call const* call = nullptr;
    /// Of an on-resource.
    std::string resource;
    std::vector<DiskUse> uses;
};

/// Its arguments; nothing if some of them are only known on the device.
Result<Arguments> arguments_of(Call const& call, Section const& event) {
    TRY_OK(check_function(call.function, call.words, event.schema->name, Deferred::refused));
    return call.function->read(call.words);
}

template<typename Visit>
void for_each_call(Section const& config, Visit visit) {
    for (auto const& task : config.sections) {
        for (auto const& event : task.sections) {
            for (auto const& call : event.calls) {
                if (call.function != nullptr) {
                    visit(call, event);
                }
            }
        }
    }
}

/// What fat_mkfs() makes anywhere in the archive, else what begins with a partition.
FileSystems file_systems(Section const& config) {
    FileSystems known;
    for (auto const& table : config.sections) {
        if (is_partition_table(table.schema->name)) {
            if (auto const partitions = partitions_of(config, table.schema->name, table.title, 0)) {
                for (auto const& partition : *partitions) {
                    known[partition.block_offset] = partition.block_count;
                }
            }
        }
    }
    for_each_call(config, [&](Call const& call, Section const& event) {
        if (call.function->form.name != "fat_mkfs") {
            return;
        }
        if (auto const arguments = arguments_of(call, event)) {
            auto const& made = std::get<BlockRange>(*arguments);
            known[made.block] = made.count;
        }
    });
    return known;
}

bool overlap(DiskUse const& a, DiskUse const& b) {
    return a.block < b.block + b.count && b.block < a.block + a.count;
}

bool is_allowed(Writer const& earlier, DiskUse const& a, DiskUse const& b) {
    bool const is_same_thing = !a.owner.empty() && a.owner == b.owner;
    bool const is_edit_of_content = a.owner.empty() && b.is_edit && a.block == b.block;
    return earlier.call->function->has(Trait::clears) || is_same_thing || is_edit_of_content;
}

std::string described(Writer const& writer, DiskUse const& use) {
    return std::string(writer.call->function->form.name) + "()" +
           (writer.resource.empty() ? "" : " of resource '" + writer.resource + "'") +
           (use.owner.empty() ? "" : " in " + use.owner) + ", line " +
           std::to_string(writer.call->position.line) + ", blocks " + std::to_string(use.block) + " to " +
           std::to_string(use.block + use.count - 1);
}

class TaskWrites {
public:
    TaskWrites(Script const& script, Section const& config, Section const& task,
               std::span<ResourceSpec const> resources, FileSystems const& known)
        : m_script(script)
        , m_config(config)
        , m_task(task)
        , m_resources(resources)
        , m_file_systems(known) {}

    /// In the order in which they run.
    Result<> check() {
        if (auto const* const event = m_task.find_section("on-init")) {
            TRY_OK(add(*event, nullptr));
        }
        for (auto const& resource : m_resources) {
            if (auto const* const event = m_task.find_section("on-resource", resource.name)) {
                TRY_OK(add(*event, &resource));
            }
        }
        auto const* const event = m_task.find_section("on-finish");
        return event == nullptr ? Result<>{} : add(*event, nullptr);
    }

private:
    Result<> add(Section const& event, ResourceSpec const* resource) {
        bool is_written = false;
        for (auto const& call : event.calls) {
            if (call.function->has(Trait::writes_resource)) {
                if (is_written) {
                    return m_script.fail(call.position, "task '" + m_task.title + "' writes resource '" +
                                                            event.title + "' twice; it streams by only once");
                }
                is_written = true;
            }
            auto const arguments = arguments_of(call, event);
            if (call.function->uses == nullptr || !arguments) {
                continue;
            }
            DiskPlan const plan{m_config, resource, m_file_systems};
            TRY_OK(compare(
                {&call, resource == nullptr ? "" : resource->name, call.function->uses(plan, *arguments)}));
        }
        return {};
    }

    Result<> compare(Writer later) {
        for (auto const& earlier : m_writers) {
            for (auto const& a : earlier.uses) {
                for (auto const& b : later.uses) {
                    if (overlap(a, b) && !is_allowed(earlier, a, b)) {
                        return m_script.fail(later.call->position,
                                             "task '" + m_task.title + "': " + described(later, b) +
                                                 ", would write over " + described(earlier, a) +
                                                 std::string(advice));
                    }
                }
            }
        }
        m_writers.push_back(std::move(later));
        return {};
    }

    Script const& m_script;
    Section const& m_config;
    Section const& m_task;
    std::span<ResourceSpec const> m_resources;
    FileSystems const& m_file_systems;
    std::vector<Writer> m_writers;
};

} // namespace

Result<> check_overlaps(Script const& script, Section const& config) {
    TRY(auto const resources, resource_specs(config));
    auto const known = file_systems(config);
    for (auto const& task : config.sections) {
        if (task.schema->name == "task") {
            TRY_OK(TaskWrites(script, config, task, resources, known).check());
        }
    }
    return {};
}

} // namespace sinew::firmware
