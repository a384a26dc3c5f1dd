/// The front door of libs/firmware: .fw archives, update scripts, and applying them to disks.
///
///     auto report  = firmware::create_archive({.script = "fwup.conf", .output = "blinky.fw", .private_key =
///     key}); auto input   = firmware::FileInput::open("blinky.fw"); auto disk    =
///     firmware::FileDevice::open("/dev/sdX", firmware::DeviceAccess::read_write); auto applied =
///     firmware::apply_archive(**input, **disk, {.task = "complete", .public_keys = {key.public_key()}});
///
/// Invariant: nothing reaches a disk before everything that can be checked has been checked.
/// Threading: see each header; nothing here has global state.
#pragma once

#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/create.hpp>
#include <sinew/firmware/delta.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/metadata.hpp>
#include <sinew/firmware/partition_table.hpp>
#include <sinew/firmware/running_system.hpp>
#include <sinew/firmware/uboot_environment.hpp>
#include <sinew/firmware/verify.hpp>
