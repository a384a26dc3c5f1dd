/// uboot_clearenv, uboot_setenv, uboot_unsetenv and uboot_recover.
///
/// Invariant: every save of a task goes to the same copy of an environment, so the other one keeps the state
/// from before the task.
#include "functions/environment.hpp"

#include "apply/checker.hpp"
#include "apply/runner.hpp"
#include "functions/arguments.hpp"
#include "functions/function.hpp"
#include "script/config.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::string_view section_name = "uboot-environment";

Result<> check_environment(Checker& checker, EnvironmentEdit const& call) {
    TRY(auto const layout, environment_layout(checker.config(), call.environment));
    TRY_OK(checker.check_range(layout.block_offset, layout.block_count));
    if (layout.redundant_block_offset) {
        return checker.check_range(*layout.redundant_block_offset, layout.block_count);
    }
    return {};
}

Result<> save(Runner& runner, UbootEnvironment const& environment) {
    auto saved = environment; // a copy: the original remembers which copy on the disk must stay untouched
    return saved.save(runner.cache());
}

/// As it is on the disk; as the task first loaded it, if it says the same.
Result<UbootEnvironment*> load(Runner& runner, std::string const& name) {
    TRY(auto const layout, environment_layout(runner.config(), name));
    auto loaded = UbootEnvironment::load(runner.cache(), layout);
    if (!loaded) {
        return std::unexpected(
            std::move(loaded).error().with_context(std::string(section_name) + " '" + name + "'"));
    }
    auto& environments = runner.environments();
    auto const known = environments.find(name);
    if (known == environments.end() || known->second.variables() != loaded->variables()) {
        return &environments.insert_or_assign(name, *std::move(loaded)).first->second;
    }
    return &known->second;
}

Result<> clear(Runner& runner, EnvironmentEdit const& call) {
    TRY(auto const layout, environment_layout(runner.config(), call.environment));
    auto const cleared =
        runner.environments().insert_or_assign(call.environment, UbootEnvironment(layout)).first;
    return save(runner, cleared->second);
}

Result<> recover(Runner& runner, EnvironmentEdit const& call) {
    TRY(auto const layout, environment_layout(runner.config(), call.environment));
    return UbootEnvironment::load(runner.cache(), layout) ? Result<>{} : clear(runner, call);
}

Result<> set(Runner& runner, EnvironmentEdit const& call) {
    TRY(auto* const environment, load(runner, call.environment));
    TRY_OK(environment->set(call.name, call.value));
    return save(runner, *environment);
}

Result<> unset(Runner& runner, EnvironmentEdit const& call) {
    TRY(auto* const environment, load(runner, call.environment));
    environment->unset(call.name);
    return save(runner, *environment);
}

/// Two sections may describe the same place.
std::vector<DiskUse> environment_blocks(DiskPlan const& plan, Arguments const& arguments) {
    auto const layout = environment_layout(plan.config, std::get<EnvironmentEdit>(arguments).environment);
    if (!layout) {
        return {};
    }
    auto const use = [count = layout->block_count](std::uint64_t block) {
        return DiskUse{block, count,
                       "the environment of " + std::to_string(count) + " blocks at block " +
                           std::to_string(block)};
    };
    std::vector<DiskUse> uses{use(layout->block_offset)};
    if (auto const redundant = layout->redundant_block_offset) {
        uses.push_back(use(*redundant));
    }
    return uses;
}

std::vector<DiskUse> edited_blocks(DiskPlan const& plan, Arguments const& arguments) {
    auto uses = environment_blocks(plan, arguments);
    for (auto& use : uses) {
        use.is_edit = true;
    }
    return uses;
}

constexpr std::array rows{
    function<check_environment, clear>({"uboot_clearenv", 1, 1, 0, section_name})
        .that_uses(environment_blocks),
    function<check_environment, set>({"uboot_setenv", 3, 3, 0, section_name}).that_uses(edited_blocks),
    function<check_environment, unset>({"uboot_unsetenv", 2, 2, 0, section_name}).that_uses(edited_blocks),
    function<check_environment, recover>({"uboot_recover", 1, 1, 0, section_name}).that_uses(edited_blocks),
};

} // namespace

Result<EnvironmentLayout> environment_layout(Section const& config, std::string_view name) {
    auto const* const section = config.find_section(section_name, name);
    if (section == nullptr) {
        return failure(ErrorCode::invalid_argument, "there is no uboot-environment section named '" +
                                                        std::string(name.substr(0, 60)) + "'");
    }
    auto const offset = section->integer("block-offset");
    auto const count = section->integer("block-count");
    auto const redundant = section->integer("block-offset-redund");
    auto const title = "uboot-environment '" + std::string(name) + "': ";
    if (offset < 0) {
        return failure(ErrorCode::invalid_argument, title + "block-offset must be given");
    }
    if (count < 1 || count > 65534) {
        return failure(ErrorCode::invalid_argument, title + "block-count must be given, 1 to 65534");
    }
    EnvironmentLayout layout;
    layout.block_offset = static_cast<std::uint64_t>(offset);
    layout.block_count = static_cast<std::uint32_t>(count);
    if (redundant >= 0) {
        if (redundant < offset + count && offset < redundant + count) {
            return failure(ErrorCode::invalid_argument, title + "the two copies overlap");
        }
        layout.redundant_block_offset = static_cast<std::uint64_t>(redundant);
    }
    return layout;
}

std::span<Function const> environment_functions() {
    return rows;
}

} // namespace sinew::firmware
