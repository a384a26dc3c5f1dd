/// What functions ask before the first write: is there room, may it be written?
///
/// Invariant: only reads. Threading: belongs to one thread.
#pragma once

#include "apply/preflight.hpp"
#include "archive/resource_stream.hpp"
#include "script/config.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/partition_table.hpp>
#include <sinew/firmware/running_system.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::firmware {

/// Ends errors of checks.
inline constexpr std::string_view nothing_written = "; nothing was written";

constexpr std::uint64_t blocks_of(std::uint64_t bytes) {
    return (bytes + block_size_bytes - 1) / block_size_bytes;
}

class Checker {
public:
    /// Borrows.
    explicit Checker(Preflight const& preflight)
        : m_preflight(preflight) {}

    /// The partitions as they will be: those the task writes, else those on the disk, else those of the
    /// archive. Comes first.
    [[nodiscard]] Result<> find_partitions();
    /// What an on-resource whose functions are checked now consumes; nullptr in other events.
    void set_resource(ResourceSpec const* resource) { m_resource = resource; }
    /// Whether a function that reaches beyond the disk may be called.
    [[nodiscard]] Result<> check_unsafe(std::string const& function) const;
    /// What is written into a new file system must fit into it. Comes last.
    [[nodiscard]] Result<> check_file_systems() const;

    // For functions.
    [[nodiscard]] Section const& config() const noexcept { return m_preflight.config; }
    [[nodiscard]] BlockDevice const& disk() const noexcept { return m_preflight.disk; }
    [[nodiscard]] RunningSystem const& system() const noexcept { return m_preflight.system; }
    /// Only for functions that write a resource.
    [[nodiscard]] ResourceSpec const& resource() const noexcept { return *m_resource; }
    /// Whether any function of the task does, before or after the one that is checked.
    [[nodiscard]] bool task_runs_commands() const;
    /// The disk must have these blocks, and they may not be those of the running "/".
    [[nodiscard]] Result<> check_range(std::uint64_t block, std::uint64_t count) const;
    /// If a partition begins at `block`, `count` blocks must fit into it. `what` begins the error.
    [[nodiscard]] Result<> check_slot(std::string const& what, std::uint64_t block,
                                      std::uint64_t count) const;
    /// A file system will be made here; and resource() written into the one that begins here.
    void add_file_system(std::uint64_t block, std::uint64_t count) { m_new_file_systems[block] = count; }
    void add_file(std::uint64_t block) { m_fat_files[block].push_back(m_resource); }

private:
    [[nodiscard]] Result<> take_partitions(std::string_view kind, std::string const& name);

    Preflight const& m_preflight;
    ResourceSpec const* m_resource = nullptr;
    std::vector<Partition> m_partitions;
    std::map<std::uint64_t, std::uint64_t> m_new_file_systems;
    std::map<std::uint64_t, std::vector<ResourceSpec const*>> m_fat_files;
};

} // namespace sinew::firmware
