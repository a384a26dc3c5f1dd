/// The sections that mbr_write and gpt_write name.
///
/// Threading: free functions.
#pragma once

#include "script/config.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/partition_table.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::firmware {

/// Whether sections of this name, mbr and gpt, describe partition tables.
[[nodiscard]] bool is_partition_table(std::string_view section);

/// The partitions that section `kind` `name` describes, on a disk of this size.
/// Error invalid_argument: there is no such section, or it makes no table.
[[nodiscard]] Result<std::vector<Partition>> partitions_of(Section const& config, std::string_view kind,
                                                           std::string const& name,
                                                           std::uint64_t disk_blocks);

} // namespace sinew::firmware
