/// Carries out the functions of a task on the output cache.
///
/// Invariant: a function touches the disk only through the cache. Threading: belongs to one thread.
#pragma once

#include "apply/outside.hpp"
#include "apply/plan.hpp"
#include "archive/resource_stream.hpp"
#include "disk/output_cache.hpp"
#include "script/config.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace sinew::firmware {

class Runner {
public:
    /// Borrows all.
    Runner(Section const& config, OutputCache& cache, ApplyOptions const& options, OnPayload on_payload);

    /// Runs the functions of an event. `resource` is what an on-resource consumes; it is read to its end in
    /// any case.
    [[nodiscard]] Result<> run(PlannedEvent const& event, ResourceStream* resource);
    /// Block 0, and the blocks of partition tables that were written.
    [[nodiscard]] std::set<std::uint64_t> const& table_blocks() const noexcept { return m_table_blocks; }
    /// What reboot_param() asked for.
    [[nodiscard]] std::optional<std::string> const& reboot_param() const noexcept { return m_reboot_param; }

    // For functions.
    [[nodiscard]] Section const& config() const noexcept { return m_config; }
    [[nodiscard]] OutputCache& cache() const noexcept { return m_cache; }
    [[nodiscard]] ApplyOptions const& options() const noexcept { return m_options; }
    /// Only for functions that write a resource.
    [[nodiscard]] ResourceStream& resource() const noexcept { return *m_resource; }
    /// A segment of the cache long.
    [[nodiscard]] MutableBytesView buffer() noexcept { return m_buffer; }
    [[nodiscard]] OnPayload const& on_payload() const noexcept { return m_on_payload; }
    void add_payload(std::uint64_t bytes) const { m_on_payload(bytes); }
    /// Reads the resource to its end, where its hash is judged.
    [[nodiscard]] Result<> drain();
    /// By the names of their sections, as loaded or cleared first.
    [[nodiscard]] std::map<std::string, UbootEnvironment>& environments() noexcept { return m_environments; }
    void add_table_blocks(std::uint64_t block, std::uint64_t count);
    void set_reboot_param(std::string text) { m_reboot_param = std::move(text); }

private:
    Section const& m_config;
    OutputCache& m_cache;
    ApplyOptions const& m_options;
    OnPayload m_on_payload;
    ResourceStream* m_resource = nullptr;
    Bytes m_buffer;
    std::map<std::string, UbootEnvironment> m_environments;
    std::set<std::uint64_t> m_table_blocks{0};
    std::optional<std::string> m_reboot_param;
};

} // namespace sinew::firmware
