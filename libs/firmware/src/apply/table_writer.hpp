/// The functions mbr_write() and gpt_write().
///
/// Invariant: what leads to a table (block 0) is written after the table; of a GPT one copy is whole at any
/// time, also after an update in which power went. Threading: free functions.
#pragma once

#include "disk/output_cache.hpp"
#include "script/config.hpp"

#include <sinew/base/result.hpp>

#include <cstdint>
#include <set>
#include <string>

namespace sinew::firmware {

/// Writes the table of section `name`, except blocks that are there already. `table_blocks` gets the numbers
/// of those written. Errors: invalid_argument: there is no such section, or it can't be encoded; no_space;
/// io.
[[nodiscard]] Result<> write_mbr(Section const& config, std::string const& name, OutputCache& cache,
                                 std::set<std::uint64_t>& table_blocks);
[[nodiscard]] Result<> write_gpt(Section const& config, std::string const& name, OutputCache& cache,
                                 std::set<std::uint64_t>& table_blocks);

} // namespace sinew::firmware
