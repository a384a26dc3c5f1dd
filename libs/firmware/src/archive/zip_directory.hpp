/// The directory at the end of a ZIP archive, of a stream that can seek: where entries are, before they are
/// read.
///
/// It isn't covered by any hash, so nothing of it is believed further than to skip what isn't needed, and to
/// refuse early what can't be whole. Threading: free functions.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sinew::firmware {

struct ZipDirectoryEntry {
    std::string name;
    /// Where its local header begins.
    std::uint64_t offset = 0;
    std::uint64_t stored_bytes = 0;
    std::uint64_t size_bytes = 0;
};

/// The entries in the order of the directory; nothing if the stream can't seek, or the archive is larger than
/// 4 GiB or has too many entries. Errors: corrupt: the archive is truncated, or its directory makes no sense.
[[nodiscard]] Result<std::optional<std::vector<ZipDirectoryEntry>>> read_zip_directory(InputStream& input);

} // namespace sinew::firmware
