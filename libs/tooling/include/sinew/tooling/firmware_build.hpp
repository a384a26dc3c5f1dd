/// From a project to a signed .fw: system, device programs, application, root file system, archive.
///
/// Invariant: the archive at the output path is whole or the one that was there before.
/// One thread. Blocks: minutes the first time a target or a version of Sinew is used, seconds afterwards.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/firmware/create.hpp>
#include <sinew/system/firmware_inputs.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sinew::tooling {

class Context;
class Console;
class Project;

struct FirmwareBuildOptions {
    /// Production: without parts for development, and with keys of one's own only.
    system::Purpose purpose = system::Purpose::development;
    /// Refuse instead of taking newer packages when pinned ones are gone.
    bool locked = false;
    /// Empty: build/<target>/NAME.fw.
    std::filesystem::path output;
};

struct FirmwareBuild {
    std::filesystem::path archive;
    firmware::CreateReport report;
    /// What the root file system is made of, before compression.
    std::vector<system::PartSize> rootfs_parts;
};

/// Errors: those of its steps, each naming what it worked on.
[[nodiscard]] Result<FirmwareBuild> build_firmware(Context const& context, Project const& project,
                                                   FirmwareBuildOptions const& options);

/// One line of the size report.
struct SizeLine {
    std::string name;
    std::uint64_t size_bytes = 0;
    /// In the archive; 0 when it isn't a part of its own there.
    std::uint64_t compressed_bytes = 0;
};

/// The archive's parts, largest in the archive first.
[[nodiscard]] std::vector<SizeLine> size_lines(firmware::CreateReport const& report);
/// The report as text: parts, the total, and below it what the root file system is made of.
[[nodiscard]] std::string format_size_report(FirmwareBuild const& build);

} // namespace sinew::tooling
