/// The front door of libs/system: what a target is made of, and the parts of a firmware that come from it.
///
///     auto target = sinew::system::load_system("systems", "x86_64");
///     auto built  = sinew::system::build_system(*target, {.on_progress = show}); // minutes once, then cached
///     auto parts  = sinew::system::assemble_firmware_inputs(*built, {
///         .programs = {{"sbin/init", "build/device/bin/sinew-init"},
///                      {"usr/bin/sinewd", "build/device/bin/sinewd"}},
///         .application = "build/app",
///         .identity = {.product = "blinky", .version = "0.1.0"},
///         .output = "build/firmware",
///     });
///     sinew::firmware::create_archive({.script = parts->update_script, .output = "blinky.fw"});
///     auto qemu = sinew::system::emulator_command(target->description, {.image = "blinky.img"});
///
/// Invariant: every number of the layout is read from systems/<target>/system.toml and from nowhere else.
#pragma once

#include <sinew/system/boot_script.hpp>
#include <sinew/system/build.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/device_files.hpp>
#include <sinew/system/emulator.hpp>
#include <sinew/system/firmware_inputs.hpp>
#include <sinew/system/layout.hpp>
#include <sinew/system/lock.hpp>
#include <sinew/system/named_lock.hpp>
#include <sinew/system/source_hash.hpp>
#include <sinew/system/update_script.hpp>
