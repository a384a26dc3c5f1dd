/// Makes an archive that holds only what changed since another one.
///
/// The result is an ordinary archive with the meta.conf and signature of the new one, so nobody needs a key
/// for it; only resources are replaced by patches. It can be applied by tasks whose on-resource names what is
/// on the device (delta-source-raw-offset, delta-source-fat-path). Threading: blocks; uses all cores.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/metadata.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace sinew::firmware {

enum class DeltaForm : std::uint8_t {
    /// Ours: small, checked before the first write, applied with little memory. An original fwup refuses it.
    segments,
    /// VCDIFF, which an original fwup applies too.
    vcdiff,
};

struct DeltaOptions {
    /// What the device runs.
    std::filesystem::path from;
    /// What it is to run.
    std::filesystem::path to;
    /// The archive to write. It appears whole or not at all.
    std::filesystem::path output;
    DeltaForm form = DeltaForm::segments;
    std::function<void(Progress const&)> on_progress;
};

/// What one resource takes in the archive.
struct DeltaResource {
    std::string name;
    std::uint64_t size_bytes = 0;
    /// In the full archive, and in this one.
    std::uint64_t full_bytes = 0;
    std::uint64_t delta_bytes = 0;
};

struct DeltaReport {
    Metadata from;
    Metadata to;
    /// Those that come as patches.
    std::vector<DeltaResource> patched;
    std::uint64_t full_archive_bytes = 0;
    std::uint64_t archive_bytes = 0;
};

/// Makes the archive. A resource is patched if both archives have it, the new one's tasks say what is on the
/// device, and the patch is smaller. Errors: invalid_argument: the archives are for different platforms;
/// unavailable: nothing can be patched, or it wouldn't become smaller, so the full archive is to be used;
/// corrupt; not_found; no_space; io.
[[nodiscard]] Result<DeltaReport> make_delta_archive(DeltaOptions const& options);

} // namespace sinew::firmware
