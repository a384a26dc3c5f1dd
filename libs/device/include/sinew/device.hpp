/// The front door of libs/device: what every Sinew device runs beside its application.
///
/// Start with device_tree.hpp (the whole) and os_process.hpp (the part of most use elsewhere). What PID 1
/// shares with it needs no runtime: config.hpp, load_config.hpp, boot_report.hpp, hardware_watchdog.hpp (the
/// library device_base).
#pragma once

#include <sinew/device/application_monitor.hpp>
#include <sinew/device/backoff.hpp>
#include <sinew/device/boot_report.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/device_tree.hpp>
#include <sinew/device/hardware_watchdog.hpp>
#include <sinew/device/heart.hpp>
#include <sinew/device/line_splitter.hpp>
#include <sinew/device/load_config.hpp>
#include <sinew/device/log_line.hpp>
#include <sinew/device/network.hpp>
#include <sinew/device/notify_socket.hpp>
#include <sinew/device/observe_relay.hpp>
#include <sinew/device/os_process.hpp>
#include <sinew/device/ssh.hpp>
#include <sinew/device/status.hpp>
#include <sinew/device/trial_guard.hpp>
#include <sinew/device/update.hpp>
