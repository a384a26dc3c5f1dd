/// Making GRUB's images.
///
/// The script is not embedded as GRUB's early configuration, whose parser knows neither `if` nor functions,
/// but as grub.cfg on a memory disk inside the core image. Invariant: the same packages and description give
/// the same bytes.
#include "grub_image.hpp"

#include "cpio.hpp"
#include "tree.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/boot_script.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/layout.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace sinew::system {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t sector_bytes = 512;
// Fields of boot.img (include/grub/i386/pc/boot.h of GRUB).
constexpr std::size_t kernel_sector_at = 0x5c;
constexpr std::size_t drive_check_at = 0x66;
constexpr std::uint16_t two_nops = 0x9090;
// The one block list entry at the end of the core image's first sector: first sector (8), count (2), segment
// (2).
constexpr std::size_t block_list_at = sector_bytes - 12;

constexpr char const* image_folder = "usr/lib/grub/i386-pc";

/// grub-mkimage out of the packages, run by their own dynamic linker with their own libraries.
Result<std::vector<std::string>> mkimage_command(Description const& description, fs::path const& packages) {
    TRY(auto const program, resolve_in(packages, "usr/bin/grub-mkimage"));
    TRY(auto const linker, resolve_in(packages, "usr/lib64/ld-linux-x86-64.so.2"));
    return std::vector<std::string>{(packages / linker).string(), "--library-path",
                                    (packages / "usr/lib" / description.gnu_triplet).string(),
                                    (packages / program).string()};
}

} // namespace

Result<Bytes> make_boot_code(BytesView boot_image, std::uint64_t core_block) {
    if (boot_image.size() != sector_bytes || load_le16(boot_image, sector_bytes - 2) != 0xaa55) {
        return failure(ErrorCode::corrupt, "boot.img of grub-pc-bin is not a boot sector");
    }
    Bytes code(boot_image.begin(), boot_image.begin() + boot_code_bytes);
    store_le64(code, kernel_sector_at, core_block);
    store_le16(code, drive_check_at, two_nops);
    return code;
}

Result<> patch_core_image(Bytes& core_image, std::uint64_t core_block) {
    if (core_image.size() < 2 * sector_bytes) {
        return failure(ErrorCode::corrupt, "grub-mkimage made no sound core image");
    }
    core_image.resize((core_image.size() + sector_bytes - 1) / sector_bytes * sector_bytes);
    auto const rest = core_image.size() / sector_bytes - 1;
    if (load_le16(core_image, block_list_at + 8) != rest) {
        return failure(ErrorCode::corrupt,
                       fmt::format("the core image has {} sectors behind its first, but its block list "
                                   "says {}",
                                   rest, load_le16(core_image, block_list_at + 8)));
    }
    store_le64(core_image, block_list_at, core_block + 1);
    return {};
}

Result<> make_grub_images(Description const& description, Layout const& layout, fs::path const& packages,
                          fs::path const& output) {
    CpioArchive memory_disk(0);
    memory_disk.add_file("boot/grub/grub.cfg", as_bytes(grub_core_script(description, layout)), 0644);
    auto const memory_disk_file = output / "memdisk.cpio";
    TRY_OK(write_file_atomically(memory_disk_file, std::move(memory_disk).finish()));

    TRY(auto command, mkimage_command(description, packages));
    auto const core_file = output / "core.img";
    auto const folder = (packages / image_folder).string();
    command.insert(command.end(),
                   {"--format", "i386-pc", "--directory", folder, "--prefix", "(memdisk)/boot/grub",
                    "--memdisk", memory_disk_file.string(), "--output", core_file.string()});
    command.insert(command.end(), description.bootloader.modules.begin(),
                   description.bootloader.modules.end());
    TRY_OK(run_checked(command));

    TRY(auto core, read_file(core_file));
    TRY_OK(patch_core_image(core, layout.core_block_offset));
    if (core.size() / sector_bytes > layout.core_block_count) {
        return failure(ErrorCode::no_space,
                       fmt::format("GRUB's core image needs {} blocks, but only {} are before the boot "
                                   "state; use fewer bootloader.modules",
                                   core.size() / sector_bytes, layout.core_block_count));
    }
    TRY_OK(write_file_atomically(core_file, core));
    TRY(auto const boot_image, read_file(packages / image_folder / "boot.img"));
    TRY(auto const code, make_boot_code(boot_image, layout.core_block_offset));
    TRY_OK(write_file_atomically(output / "boot.bin", code));
    return remove_tree(memory_disk_file);
}

} // namespace sinew::system
