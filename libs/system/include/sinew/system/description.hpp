/// What a target is: systems/<target>/system.toml as described structs.
///
/// This file is the single source of packages, kernel, modules, bootloader, partitions, consoles, services
/// and emulator; everything else about a target is generated from it.
#pragma once

#include <sinew/base/describe.hpp>
#include <sinew/device/config.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::system {

/// Which Debian packages are used, and for what. All of them, with what they depend on, are pinned in
/// system.lock.
struct Packages {
    /// Package -> the files of it that go onto the device. The libraries they need follow from their ELF
    /// headers.
    std::map<std::string, std::vector<std::string>> device{};
    /// Packages only used to make the image: kernel, bootloader.
    std::vector<std::string> build{};
    /// Packages that programs for the device are compiled against.
    std::vector<std::string> sysroot{};
    /// Packages whose role the system fills by itself; what depends on them is satisfied without them.
    std::vector<std::string> provided{};
};
BOOST_DESCRIBE_STRUCT(Packages, (), (device, build, sysroot, provided))

struct Kernel {
    /// Value of each `console=`; the last one becomes /dev/console.
    std::vector<std::string> consoles{};
    /// Further kernel arguments, as they are.
    std::vector<std::string> arguments{};
    /// Loaded from the initramfs and from the root file system, by name without ".ko". What they depend on is
    /// added.
    std::vector<std::string> early_modules{};
    std::vector<std::string> modules{};
};
BOOST_DESCRIBE_STRUCT(Kernel, (), (consoles, arguments, early_modules, modules))

/// Memory that keeps the end of the kernel's log across a warm reset (ramoops).
struct CrashLog {
    /// A physical address that is ordinary memory on every machine of the target.
    std::int64_t address = 0;
    std::uint32_t size_kib = 0;
    std::uint32_t record_kib = 0;
};
BOOST_DESCRIBE_STRUCT(CrashLog, (), (address, size_kib, record_kib))

enum class BootloaderKind : std::uint8_t { grub_bios };
BOOST_DESCRIBE_ENUM(BootloaderKind, grub_bios)

struct Bootloader {
    BootloaderKind kind = BootloaderKind::grub_bios;
    /// GRUB modules linked into the core image.
    std::vector<std::string> modules{};
    /// Blocks (512 bytes) of the boot state: the state, its copy, and the block GRUB itself writes (which has
    /// one block of its archive before it and two behind).
    std::uint32_t state_block = 0;
    std::uint32_t state_copy_block = 0;
    std::uint32_t tried_block = 0;
};
BOOST_DESCRIBE_STRUCT(Bootloader, (), (kind, modules, state_block, state_copy_block, tried_block))

/// The U-Boot environment block, held twice.
struct EnvironmentBlock {
    std::uint32_t block = 0;
    std::uint32_t block_count = 0;
    std::uint32_t redundant_block = 0;
};
BOOST_DESCRIBE_STRUCT(EnvironmentBlock, (), (block, block_count, redundant_block))

struct PartitionEntry {
    /// boot_a, boot_b, rootfs_a, rootfs_b and data each once.
    std::string name{};
    std::uint32_t size_mib = 0;
    /// The MBR type byte.
    std::uint8_t type = 0x83;
    /// A logical partition of the extended one.
    bool logical = false;
    /// Takes the rest of the disk; the last partition only.
    bool expand = false;
};
BOOST_DESCRIBE_STRUCT(PartitionEntry, (), (name, size_mib, type, logical, expand))

struct Disk {
    /// 8 hexadecimal digits; PID 1 finds its disk by it.
    std::string signature{};
    /// Partitions start at multiples of this many blocks.
    std::uint32_t alignment_blocks = 2048;
    /// In the order on the disk; offsets are computed.
    std::vector<PartitionEntry> partitions{};
};
BOOST_DESCRIBE_STRUCT(Disk, (), (signature, alignment_blocks, partitions))

enum class RootfsFormat : std::uint8_t { squashfs, erofs };
BOOST_DESCRIBE_ENUM(RootfsFormat, squashfs, erofs)

struct RootFileSystem {
    RootfsFormat format = RootfsFormat::squashfs;
    /// Commands of busybox that are linked, as full paths, e.g. "/bin/sh".
    std::vector<std::string> applets{};
    /// Empty folders.
    std::vector<std::string> directories{};
    /// Link -> what it points to.
    std::map<std::string, std::string> links{};
};
BOOST_DESCRIBE_STRUCT(RootFileSystem, (), (format, applets, directories, links))

/// How QEMU runs the image.
struct Emulator {
    std::string program{};
    std::string machine{};
    std::uint32_t memory_mib = 256;
    /// The processor under software emulation, and with KVM.
    std::string processor = "max";
    std::string processor_kvm = "host";
    std::uint32_t processors = 1;
    /// Further arguments: the watchdog, random numbers.
    std::vector<std::string> arguments{};
    /// -device values of disk and network card, to which drive= and netdev= are added.
    std::string disk_device{};
    std::string network_device{};
};
BOOST_DESCRIBE_STRUCT(Emulator, (),
                      (program, machine, memory_mib, processor, processor_kvm, processors, arguments,
                       disk_device, network_device))

/// The GPIO lines of the board, for templates, documentation and tests.
struct Board {
    /// Label of the gpiochip.
    std::string gpio_chip{};
    std::uint32_t gpio_lines = 0;
    /// A line by role -> its offset on that chip.
    std::map<std::string, std::uint32_t> lines{};
};
BOOST_DESCRIBE_STRUCT(Board, (), (gpio_chip, gpio_lines, lines))

/// What only those need who develop: `sinew firmware --production` leaves it out.
struct Development {
    /// Programs of Sinew, as full paths, and services by name.
    std::vector<std::string> programs{};
    std::vector<std::string> services{};
    /// Commands of busybox whose links are removed, as in rootfs.applets.
    std::vector<std::string> applets{};
    /// Modules of kernel.modules.
    std::vector<std::string> modules{};
};
BOOST_DESCRIBE_STRUCT(Development, (), (programs, services, applets, modules))

/// systems/<target>/system.toml.
struct Description {
    /// The target's name: the name of its folder, and meta-platform of its firmware.
    std::string name{};
    std::string summary{};
    /// Debian's release and architecture, e.g. "bookworm" and "amd64".
    std::string release{};
    std::string architecture{};
    /// The GNU name of the architecture, e.g. "x86_64-linux-gnu".
    std::string gnu_triplet{};
    Packages packages;
    Kernel kernel;
    CrashLog crash_log;
    Bootloader bootloader;
    EnvironmentBlock environment;
    Disk disk;
    RootFileSystem rootfs;
    device::Watchdog watchdog;
    device::Network network;
    std::vector<device::Service> services{};
    Development development;
    Emulator emulator;
    Board board;
};
BOOST_DESCRIBE_STRUCT(Description, (),
                      (name, summary, release, architecture, gnu_triplet, packages, kernel, crash_log,
                       bootloader, environment, disk, rootfs, watchdog, network, services, development,
                       emulator, board))

/// Reads and checks a description. `source_name` goes in front of errors. Errors invalid_argument:
/// "system.toml:12: kernel.consols: ..." for a key; a partition that is missing, twice there, or without a
/// size; a name or path that would leave the tree.
[[nodiscard]] Result<Description> parse_description(std::string_view text, std::string_view source_name);

/// A target: its description and the folder it was read from.
struct Target {
    Description description{};
    std::filesystem::path folder{};
    /// The text of system.toml, which the cache key is made of.
    std::string text{};
};

/// Reads `systems`/`name`/system.toml. Errors: not_found: no such target, with the list of those there are;
/// invalid_argument.
[[nodiscard]] Result<Target> load_system(std::filesystem::path const& systems, std::string_view name);

/// The names of the targets below `systems`, sorted; a folder without a system.toml is none.
[[nodiscard]] std::vector<std::string> list_systems(std::filesystem::path const& systems);

} // namespace sinew::system
