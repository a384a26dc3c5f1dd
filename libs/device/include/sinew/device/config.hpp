/// The two files a firmware carries for its own boot: /etc/sinew/init.toml and /etc/sinew/device.toml.
///
/// Both are generated from systems/<target>/system.toml and the project's sinew.toml when the firmware is
/// built, and read by sinew-init (in the initramfs and again in the root file system) and by sinewd. One
/// description serves the writer and the readers, so they can't drift. Threading: plain values.
#pragma once

#include <sinew/base/describe.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sinew::device {

/// What PID 1 does when its command ends although nobody asked for it.
enum class OnUnexpectedEnd : std::uint8_t { reboot, poweroff, hang };
BOOST_DESCRIBE_ENUM(OnUnexpectedEnd, reboot, poweroff, hang)

/// A hardware watchdog. Without a path none is used.
struct Watchdog {
    std::string path = "/dev/watchdog0";
    std::chrono::milliseconds timeout = std::chrono::seconds(60);
};
BOOST_DESCRIBE_STRUCT(Watchdog, (), (path, timeout))

/// Where a partition lies on the disk, in blocks of 512 bytes; a count of 0: to the end of the disk.
struct PartitionPlace {
    std::int64_t first_block = 0;
    std::int64_t block_count = 0;
};
BOOST_DESCRIBE_STRUCT(PartitionPlace, (), (first_block, block_count))

/// /etc/sinew/init.toml: everything PID 1 needs.
struct InitConfig {
    /// The MBR disk signature (8 hexadecimal digits) of the disk that this firmware lives on.
    std::string disk_signature;
    /// Partition numbers on that disk by name: boot_a, boot_b, rootfs_a, rootfs_b, data.
    std::map<std::string, int> partitions;
    /// Where they lie, whatever the partition table says, by the same names.
    std::map<std::string, PartitionPlace> partition_places;
    std::string rootfs_type = "squashfs";
    /// The data partition's file system; formatted when blank, checked and repaired before it is reformatted.
    std::string data_type = "ext4";
    std::string data_path = "/data";
    /// Kernel modules by file name without ".ko", dependencies before their users: those the initramfs
    /// loads...
    std::vector<std::string> early_modules;
    /// ...and those loaded from the root file system.
    std::vector<std::string> modules;
    Watchdog watchdog;
    /// %s is the serial number, %.4s its first and %-.4s its last four characters.
    std::string hostname_pattern = "sinew-%-.4s";
    /// Seconds since 1970 when the firmware was built: the clock is never set below it.
    std::int64_t build_time = 0;
    /// What PID 1 runs and watches.
    std::vector<std::string> command = {"/usr/bin/sinewd"};
    OnUnexpectedEnd on_unexpected_end = OnUnexpectedEnd::reboot;
    /// How long the command may take to end in an orderly way before it is killed.
    std::chrono::milliseconds shutdown_grace = std::chrono::seconds(10);
};
BOOST_DESCRIBE_STRUCT(InitConfig, (),
                      (disk_signature, partitions, partition_places, rootfs_type, data_type, data_path,
                       early_modules, modules, watchdog, hostname_pattern, build_time, command,
                       on_unexpected_end, shutdown_grace))

/// A program sinewd starts before the application and keeps running.
struct Service {
    std::string name;
    std::vector<std::string> command;
    /// sinewd waits until this path exists before it starts what follows; empty: does not wait.
    std::string ready_path;
};
BOOST_DESCRIBE_STRUCT(Service, (), (name, command, ready_path))

struct ApplicationConfig {
    std::string name;
    std::vector<std::string> command;
    std::string config_directory = "/srv/app/config";
    /// More than `max_restarts` ends within `restart_period` and sinewd gives up on it: on trial the device
    /// reboots into the old slot, otherwise the application stays down and the device stays reachable.
    int max_restarts = 3;
    std::chrono::milliseconds restart_period = std::chrono::seconds(30);
    /// Its scheduler hasn't answered for so long: it is ended, and started again. 0: nobody asks it.
    std::chrono::milliseconds answer_limit = std::chrono::seconds(30);
};
BOOST_DESCRIBE_STRUCT(ApplicationConfig, (),
                      (name, command, config_directory, max_restarts, restart_period, answer_limit))

/// When a firmware on trial counts as good.
struct StartupGuard {
    /// All conditions have held together this long.
    std::chrono::milliseconds stable_for = std::chrono::seconds(15);
    /// Not good by then: reboot, and the bootloader brings the old slot back.
    std::chrono::milliseconds deadline = std::chrono::minutes(2);
    /// "application": it has reported ready and answers; "data": /data is mounted and can be written; "ssh": the
    /// SSH server runs. One that doesn't apply (there is no application, SSH is off) counts as met.
    std::vector<std::string> conditions = {"application", "data", "ssh"};
};
BOOST_DESCRIBE_STRUCT(StartupGuard, (), (stable_for, deadline, conditions))

struct Network {
    /// Brought up with DHCP; empty: none.
    std::string interface = "eth0";
};
BOOST_DESCRIBE_STRUCT(Network, (), (interface))

struct SecureShell {
    bool enabled = true;
    int port = 22;
    /// Host keys live here and are made at the first start.
    std::string host_key_directory = "/data/ssh";
};
BOOST_DESCRIBE_STRUCT(SecureShell, (), (enabled, port, host_key_directory))

/// Where the U-Boot environment lies on the disk, in blocks of 512 bytes; block_count 0: there is none.
struct EnvironmentBlocks {
    std::int64_t block = 0;
    std::uint32_t block_count = 0;
    /// The second copy; 0: there is none.
    std::int64_t redundant_block = 0;
};
BOOST_DESCRIBE_STRUCT(EnvironmentBlocks, (), (block, block_count, redundant_block))

/// Where the bootloader's own blocks lie on the disk; 0: there are none. See boot_counters.hpp.
struct BootBlocks {
    std::int64_t state = 0;
    std::int64_t state_copy = 0;
    std::int64_t counters = 0;
};
BOOST_DESCRIBE_STRUCT(BootBlocks, (), (state, state_copy, counters))

/// /etc/sinew/device.toml: everything sinewd needs.
struct DeviceConfig {
    std::string platform;
    std::string product;
    std::string version;
    std::vector<Service> services;
    ApplicationConfig application;
    StartupGuard startup_guard;
    Watchdog watchdog;
    Network network;
    SecureShell ssh;
    /// The whole disk that updates are applied to (made by sinew-init).
    std::string disk = "/dev/rootdisk0";
    /// What is installed in which slot is recorded there.
    EnvironmentBlocks environment;
    BootBlocks boot_blocks;
    /// The archive with the tasks validate, revert and factory-reset.
    std::string operations_archive = "/usr/share/sinew/ops.fw";
    /// Public keys (*.pub) that an update must be signed with one of.
    std::string key_directory = "/etc/sinew/keys";
    /// Without any key in that folder, updates are installed unchecked; otherwise they are refused then.
    bool accept_unsigned = false;
};
BOOST_DESCRIBE_STRUCT(DeviceConfig, (),
                      (platform, product, version, services, application, startup_guard, watchdog, network,
                       ssh, disk, environment, boot_blocks, operations_archive, key_directory,
                       accept_unsigned))

} // namespace sinew::device
