/// What the patches of an archive are applied to on this device.
///
/// Threading: free functions, for one thread at a time.
#pragma once

#include "archive/notes.hpp"
#include "delta/source.hpp"
#include "script/config.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <memory>
#include <span>

namespace sinew::firmware {

/// The source that an on-resource names by its delta-source options; nullptr if it names none.
/// Errors: unavailable: the file isn't there; invalid_argument: an impossible cipher or key.
[[nodiscard]] Result<std::unique_ptr<DeltaSource>> open_delta_source(Section const& on_resource,
                                                                     BlockDevice& disk);

/// Reads and hashes what each noted patch that `task` uses was made for.
/// Error unavailable: it isn't on the device, so the full archive is needed. Only reads.
[[nodiscard]] Result<> check_delta_sources(Section const& task, std::span<DeltaNote const> notes,
                                           BlockDevice& disk);

} // namespace sinew::firmware
