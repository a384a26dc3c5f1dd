/// Carries out the functions of a task on the output cache.
///
/// Invariant: a function touches the disk only through the cache. Threading: belongs to one thread.
#pragma once

#include "archive/resource_stream.hpp"
#include "disk/output_cache.hpp"
#include "script/config.hpp"
#include "script/functions.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace sinew::firmware {

class Runner {
public:
    /// Borrows all. `on_payload` is told of every piece of payload that was written.
    Runner(Section const& config, OutputCache& cache, ApplyOptions const& options,
           std::function<void(std::uint64_t)> on_payload);

    /// Runs the functions of an event. `resource` is what an on-resource consumes; it is read to its end in
    /// any case.
    [[nodiscard]] Result<> run(Section const& event, ResourceStream* resource);
    /// Block 0, and the blocks of partition tables that were written.
    [[nodiscard]] std::set<std::uint64_t> const& table_blocks() const noexcept { return m_table_blocks; }
    /// What reboot_param() asked for.
    [[nodiscard]] std::optional<std::string> const& reboot_param() const noexcept { return m_reboot_param; }

private:
    [[nodiscard]] Result<> call(Call const& call, ResourceStream* resource);
    [[nodiscard]] Result<> call_fat(Function function, Call const& call, ResourceStream* resource);
    [[nodiscard]] Result<> call_environment(Function function, Call const& call);
    [[nodiscard]] Result<> call_outside(Function function, Call const& call, ResourceStream* resource);
    [[nodiscard]] Result<> raw_write(Call const& call, ResourceStream& resource);
    [[nodiscard]] Result<> raw_memset(std::uint64_t block, std::uint64_t count, std::uint8_t value);
    [[nodiscard]] Result<> fat_write(std::uint64_t block, std::string const& path, ResourceStream& resource);
    [[nodiscard]] Result<> drain(ResourceStream& resource);

    Section const& m_config;
    OutputCache& m_cache;
    ApplyOptions const& m_options;
    std::function<void(std::uint64_t)> m_on_payload;
    Bytes m_buffer;
    /// As loaded; every save of a task goes to the same copy, so the other one keeps the state from before
    /// the task.
    std::map<std::string, UbootEnvironment> m_environments;
    std::set<std::uint64_t> m_table_blocks{0};
    std::optional<std::string> m_reboot_param;
};

} // namespace sinew::firmware
