/// Remote login: dropbear, with keys only.
///
/// Invariant: a device is never locked out by a bad /data: host keys that can't be kept are made in memory.
/// Threading: prepare_host_key() blocks for up to a second or two; call it on a blocking pool.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/os_process.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace sinew::device {

struct HostKeyPlaces {
    std::filesystem::path kept = "/data/ssh";
    /// Used when `kept` can't be written.
    std::filesystem::path in_memory = "/run/sinew/ssh";
};

/// The path of the Ed25519 host key; made when it is missing, or when dropbearkey can't read it. `run` runs a
/// command and fails unless it ends with status 0. Error: a key can be made in neither place.
[[nodiscard]] Result<std::filesystem::path>
prepare_host_key(HostKeyPlaces const& places,
                 std::function<Result<>(std::vector<std::string> const&)> const& run);

/// dropbear, in the foreground, without passwords.
[[nodiscard]] OsProcessOptions ssh_server(SecureShell const& ssh);

} // namespace sinew::device
