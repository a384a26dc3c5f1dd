/// Copies an entry from one archive to another as it is stored.
///
/// Threading: a free function.
#pragma once

#include "archive/zip_reader.hpp"
#include "archive/zip_writer.hpp"

#include <sinew/base/result.hpp>

namespace sinew::firmware {

/// Copies `entry`, which `reader` has just begun; its checksum is checked on the way. Returns its sums.
[[nodiscard]] Result<ZipWriter::EntrySums> copy_entry(ZipReader& reader, ZipEntry const& entry,
                                                      ZipWriter& writer);

} // namespace sinew::firmware
