/// The front door of libs/firmware: .fw archives, update scripts, and applying them to disks.
///
///     TRY(auto const report, create_archive({.script = "fwup.conf", .output = "blinky.fw"}));
///     TRY(auto const input, FileInput::open("blinky.fw"));
///     TRY(auto const disk, FileDevice::open("/dev/sdX", DeviceAccess::read_write));
///     TRY(auto const applied, apply_archive(*input, *disk, {.task = "complete"}));
///
/// Invariant: nothing reaches a disk before everything that can be checked has been checked.
/// Threading: see each header; nothing here has global state.
#pragma once

#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/command_line.hpp>
#include <sinew/firmware/create.hpp>
#include <sinew/firmware/delta.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/metadata.hpp>
#include <sinew/firmware/partition_table.hpp>
#include <sinew/firmware/running_system.hpp>
#include <sinew/firmware/uboot_environment.hpp>
#include <sinew/firmware/verify.hpp>
