/// Whether the writes of a task get into each other's way.
///
/// Threading: a free function.
#pragma once

#include "script/config.hpp"
#include "script/parser.hpp"

#include <sinew/base/result.hpp>

namespace sinew::firmware {

/// Looks at each task of a script whose resources are packed: two calls may not write the same blocks, unless
/// the earlier one only makes room (raw_memset, trim), or both change the same thing (a file system, an
/// environment, the partition table); and a resource may be written once. Calls whose numbers are left to the
/// device aren't judged. Error invalid_argument: "file:line:column: what overlaps".
[[nodiscard]] Result<> check_overlaps(Script const& script, Section const& config);

} // namespace sinew::firmware
