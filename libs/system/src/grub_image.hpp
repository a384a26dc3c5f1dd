/// GRUB for BIOS machines: the core image and the boot code of the disk's first sector.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/layout.hpp>

#include <cstdint>
#include <filesystem>

namespace sinew::system {

inline constexpr std::size_t boot_code_bytes = 440;

/// boot.img made ready: it loads the core image from `core_block`. This is what grub-bios-setup changes in
/// it, too: the block number, and the check of the boot drive's number that some BIOSes get wrong. Errors
/// corrupt: not a boot.img.
[[nodiscard]] Result<Bytes> make_boot_code(BytesView boot_image, std::uint64_t core_block);

/// core.img made ready: its first sector loads the rest from behind itself at `core_block`. Error corrupt.
[[nodiscard]] Result<> patch_core_image(Bytes& core_image, std::uint64_t core_block);

/// Runs the grub-mkimage of `packages` (unpacked Debian packages) and writes core.img and boot.bin into
/// `output`. Errors: no_space: the core image is larger than the area before the boot state; not_found:
/// grub-pc-bin or grub-common isn't among the packages.
[[nodiscard]] Result<> make_grub_images(Description const& description, Layout const& layout,
                                        std::filesystem::path const& packages,
                                        std::filesystem::path const& output);

} // namespace sinew::system
