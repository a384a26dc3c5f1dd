/// Implements the SSH server's start.
///
#include <sinew/base/command.hpp>
#include <sinew/base/result.hpp>
#include <sinew/device/backoff.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/os_process.hpp>
#include <sinew/device/ssh.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::device {
namespace {

namespace fs = std::filesystem;

using Run = std::function<Result<>(std::vector<std::string> const&)>;

constexpr std::chrono::seconds key_limit{60};
constexpr char const* key_name = "dropbear_ed25519_host_key";

Result<> run_quietly(std::vector<std::string> const& command) {
    TRY_OK(run_checked(command, {.timeout = key_limit}));
    return {};
}

/// dropbearkey -y reads a key and prints its public part: it fails for a damaged file.
bool is_good_key(fs::path const& key, Run const& run) {
    std::error_code error;
    return fs::exists(key, error) && run({"dropbearkey", "-y", "-f", key.string()});
}

Result<fs::path> make_key(fs::path const& folder, Run const& run) {
    std::error_code error;
    fs::create_directories(folder, error);
    fs::permissions(folder, fs::perms::owner_all, error);
    auto key = folder / key_name;
    auto const fresh = folder / (std::string(key_name) + ".new");
    fs::remove(fresh, error);
    TRY_OK(run({"dropbearkey", "-t", "ed25519", "-f", fresh.string()}));
    fs::rename(fresh, key, error); // A power cut leaves the whole key or none.
    if (error) {
        return std::unexpected(
            error_from_errno(error.value(), "can't keep the host key in " + folder.string()));
    }
    return key;
}

} // namespace

Result<fs::path> prepare_host_key(HostKeyPlaces const& places, Run const& run) {
    for (auto const& folder : {places.kept, places.in_memory}) {
        if (is_good_key(folder / key_name, run)) {
            return folder / key_name;
        }
        auto made = make_key(folder, run);
        if (made || folder == places.in_memory) {
            return made;
        }
    }
    return failure(ErrorCode::internal, "no place for a host key");
}

OsProcessOptions ssh_server(SecureShell const& ssh) {
    HostKeyPlaces const places{.kept = ssh.host_key_directory};
    auto const port = std::to_string(ssh.port);
    auto prepare = [places, port]() -> Result<std::vector<std::string>> {
        TRY(auto const key, prepare_host_key(places, run_quietly));
        return std::vector<std::string>{
            "dropbear", "-F", "-E", "-s", "-p", port, "-r", key.string(), "-P", "/run/sinew/dropbear.pid",
            // Three of these without an answer end a connection whose other end is gone.
            "-K", "30"};
    };
    return {.name = "ssh",
            .command = {"dropbear"},
            .prepare = prepare,
            .stop_grace = std::chrono::seconds(2),
            .backoff = std::make_shared<Backoff>()};
}

} // namespace sinew::device
