/// Writing a firmware to a card or to an image file.
///
/// Invariant: the data partition of a disk that already has this layout is not written to, unless told to
/// erase. Blocks until everything is on the medium.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/metadata.hpp>
#include <sinew/system/layout.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace sinew::tooling {

class Context;

/// What becomes of the disk's /data.
enum class DataFate : std::uint8_t { kept, erased };

/// Whether `disk` already has the partitions of `layout` under its signature, so that /data can be kept.
[[nodiscard]] DataFate data_fate(firmware::BlockDevice& disk, system::Description const& description,
                                 system::Layout const& layout);

struct BurnReport {
    firmware::Metadata metadata;
    DataFate data = DataFate::erased;
};

struct ImageOptions {
    /// Of a new image; an existing one keeps its size. Without: what the layout needs, at least 1 GiB
    /// (sparse).
    std::optional<std::uint64_t> size_bytes;
    bool erase = false;
};

/// Writes `archive` to the image file `image`, made if missing. A new image appears whole or not at all.
/// Errors: no_space: the size is too small; invalid_argument: the platform is no known target; those of the
/// engine.
[[nodiscard]] Result<BurnReport> burn_image(Context const& context, std::filesystem::path const& archive,
                                            std::filesystem::path const& image, ImageOptions const& options);

/// Writes `archive` to the disk `device`, which the caller has checked with check_burnable().
[[nodiscard]] Result<BurnReport> burn_disk(Context const& context, std::filesystem::path const& archive,
                                           std::filesystem::path const& device, bool erase);

} // namespace sinew::tooling
