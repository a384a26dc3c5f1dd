/// The two images the kernel reads: the initramfs and the root file system.
///
/// Invariant: the same tree and time give the same bytes.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/description.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sinew::system {

struct InitramfsParts {
    /// The program that becomes /init.
    Bytes init{};
    /// Content of /etc/sinew/init.toml.
    std::string init_config{};
    /// Files, in the order of their loading, that go into /lib/modules.
    std::vector<std::filesystem::path> modules{};
    std::int64_t build_time = 0;
};

/// Writes the initramfs, compressed with zstd, to `output`.
[[nodiscard]] Result<> write_initramfs(InitramfsParts const& parts, std::filesystem::path const& output);

/// Writes the tree as a squashfs (zstd) or erofs (lz4hc) image; everything in it belongs to root.
[[nodiscard]] Result<> write_rootfs_image(std::filesystem::path const& tree, RootfsFormat format,
                                          std::int64_t build_time, std::filesystem::path const& output);

} // namespace sinew::system
