// Talking to a device through ssh. See upload.hpp.
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/firmware.hpp>
#include <sinew/tooling/console.hpp>
#include <sinew/tooling/feed_command.hpp>
#include <sinew/tooling/upload.hpp>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <thread>

namespace sinew::tooling {

namespace {

constexpr auto status_command = "cat /proc/sys/kernel/random/boot_id /run/sinew/status.json";
constexpr auto status_time_limit = std::chrono::seconds(15);
constexpr int ssh_failed = 255; // ssh(1): "exits with ... 255 if an error occurred"

/// An address of the loopback interface, not a name that begins like one.
bool is_this_machine(std::string_view host) {
    std::string const name(host.substr(host.find('@') == std::string_view::npos ? 0 : host.find('@') + 1));
    constexpr std::uint32_t loopback_network = 127;
    in_addr address{};
    return name == "localhost" || name == "::1" ||
           (::inet_pton(AF_INET, name.c_str(), &address) == 1 &&
            ntohl(address.s_addr) >> 24U == loopback_network);
}

/// What the key of a device behind a port of this machine is remembered by: its names are all the same.
std::string local_host_alias(std::uint16_t port) {
    return fmt::format("port-{}-of-this-machine", port);
}

/// The last line with words in it, without ssh's own carriage returns.
std::string last_line(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    return std::string(text.substr(text.find_last_of('\n') + 1));
}

std::string what_it_said(CommandResult const& result) {
    std::string const line = last_line(result.error_output);
    return line.empty() ? last_line(result.output) : line;
}

class SshDevice {
public:
    SshDevice(std::vector<std::string> words, std::string host)
        : m_words(std::move(words))
        , m_host(std::move(host)) {}

    [[nodiscard]] Result<DeviceStatus> status() const {
        CommandOptions options;
        options.timeout = status_time_limit;
        options.group = ProcessGroup::callers; // ssh may ask for a passphrase.
        TRY(auto const result, run_command(with(status_command), options));
        if (result.status == ssh_failed) {
            return failure(ErrorCode::unavailable,
                           fmt::format("{} can't be reached: {}{}", m_host, what_it_said(result),
                                       advice(result.error_output)));
        }
        if (result.status != 0) {
            return failure(ErrorCode::protocol,
                           fmt::format("{} is no Sinew device, or its sinewd doesn't run: {}", m_host,
                                       what_it_said(result)));
        }
        return parse_device_status(result.output);
    }

    /// Whether it would take an update now; otherwise its own words. A device that doesn't know the question is asked
    /// by the update itself.
    [[nodiscard]] Result<> check_ready() const {
        CommandOptions options;
        options.timeout = status_time_limit;
        options.group = ProcessGroup::callers;
        TRY(auto const result, run_command(with("sinew-update --check"), options));
        auto const said = what_it_said(result);
        if (result.status == 0 || result.status == ssh_failed || said.contains("unknown argument")) {
            return {};
        }
        return failure(ErrorCode::unavailable, fmt::format("{} takes no update now: {}", m_host, said));
    }

    [[nodiscard]] Result<CommandResult> update(std::filesystem::path const& archive, Console& console) const {
        auto result =
            feed_command(with("sinew-update"), archive, [&](std::uint64_t sent, std::uint64_t total) {
                console.progress("uploading", sent, total);
            });
        console.end_progress();
        return result;
    }

private:
    [[nodiscard]] std::vector<std::string> with(std::string const& command) const {
        auto words = m_words;
        words.push_back(command);
        return words;
    }
    static std::string advice(std::string_view said) {
        if (said.contains("Permission denied")) {
            return "; the device lets in the keys that its firmware was built with ([ssh] in sinew.toml, "
                   "`sinew key ssh`)";
        }
        if (said.contains("HOST IDENTIFICATION HAS CHANGED") ||
            said.contains("Host key verification failed")) {
            return "; if the device was written anew, forget its old key: `ssh-keygen -R NAME -f "
                   "~/.config/sinew/ssh/known_hosts`, with the NAME that `ssh-keygen -l -f` of that file "
                   "shows";
        }
        return "";
    }
    std::vector<std::string> m_words;
    std::string m_host;
};

/// A look without consequences: a device that doesn't answer is simply not there yet.
std::optional<DeviceStatus> look(SshDevice const& device) {
    auto status = device.status();
    return status ? std::optional(*std::move(status)) : std::nullopt;
}

Result<> check_accepted(CommandResult const& result, std::string const& host) {
    // A device that reboots at once may tear the connection down after its last word.
    bool const installed = result.output.contains("sinew-update: installed");
    if (result.status == 0 || (result.status == ssh_failed && installed)) {
        return {};
    }
    std::string const said = what_it_said(result);
    if (result.status == ssh_failed) {
        return failure(ErrorCode::io,
                       fmt::format("the connection to {} broke during the upload ({}); the device still "
                                   "runs its old firmware, try again",
                                   host, said));
    }
    return failure(ErrorCode::invalid_argument,
                   fmt::format("{} refused the update: {}", host, said.empty() ? "(it said nothing)" : said));
}

struct Sending {
    std::uint64_t bytes = 0;
    bool as_delta = false;
};

Result<Sending> send_archive(Console& console, SshDevice const& device, std::filesystem::path const& archive,
                             std::string const& host) {
    TRY(auto const result, device.update(archive, console));
    TRY_OK(check_accepted(result, host));
    std::error_code ignored;
    return Sending{.bytes = std::filesystem::file_size(archive, ignored)};
}

/// Only what changed, if the device runs `options.previous`; nothing if it doesn't, or if that isn't possible
/// or not accepted. A refused delta leaves the device on its old firmware.
std::optional<Sending> send_delta(Console& console, SshDevice const& device,
                                  std::filesystem::path const& archive, DeviceStatus const& before,
                                  UploadOptions const& options) {
    if (options.previous.empty()) {
        return std::nullopt;
    }
    auto const previous = firmware::read_metadata(options.previous);
    auto const folder = TemporaryDirectory::create("sinew-upload");
    if (!previous || previous->uuid != before.uuid || !folder) {
        return std::nullopt;
    }
    firmware::DeltaOptions wanted;
    wanted.from = options.previous;
    wanted.to = archive;
    wanted.output = folder->path() / "delta.fw";
    auto const made = firmware::make_delta_archive(wanted);
    if (!made) {
        return std::nullopt;
    }
    console.say(fmt::format("Only what changed is sent: {} instead of {}.", format_size(made->archive_bytes),
                            format_size(made->full_archive_bytes)));
    auto sent = send_archive(console, device, wanted.output, options.host);
    if (!sent) {
        console.warn(fmt::format("{}; sending the full firmware instead", sent.error().message()));
        return std::nullopt;
    }
    sent->as_delta = true;
    return *sent;
}

Result<Sending> send(Console& console, SshDevice const& device, std::filesystem::path const& archive,
                     DeviceStatus const& before, UploadOptions const& options) {
    if (auto const sent = send_delta(console, device, archive, before, options)) {
        return *sent;
    }
    return send_archive(console, device, archive, options.host);
}

Result<DeviceStatus> watch(Console& console, SshDevice const& device, UploadWatch& watching,
                           UploadOptions const& options) {
    SystemClock const clock;
    UploadState shown = UploadState::timed_out;
    while (!watching.is_over()) {
        if (UploadState const state = watching.observe(look(device), clock.now()); state != shown) {
            shown = state;
            if (state == UploadState::rebooting) {
                console.say("The device reboots...");
            } else if (state == UploadState::on_trial) {
                console.say(fmt::format("{} runs on slot {}, on trial...", watching.last().version,
                                        watching.last().slot));
            }
        }
        if (!watching.is_over()) {
            std::this_thread::sleep_for(options.poll_interval);
        }
    }
    if (watching.state() != UploadState::validated) {
        return failure(watching.state() == UploadState::timed_out ? ErrorCode::timed_out : ErrorCode::denied,
                       watching.explanation());
    }
    return watching.last();
}

} // namespace

std::vector<std::string> ssh_command(KeyStore const& keys, UploadOptions const& options) {
    std::string const host = options.host.contains('@') ? options.host : "root@" + options.host;
    std::vector<std::string> words = {"ssh", "-p", std::to_string(options.port),
                                      "-T",  "-o", "LogLevel=ERROR"};
    auto const add = [&words](std::string setting) {
        words.emplace_back("-o");
        words.push_back(std::move(setting));
    };
    add("ConnectTimeout=5");
    add("ServerAliveInterval=5");
    add("ServerAliveCountMax=3");
    add("StrictHostKeyChecking=accept-new");
    add("HashKnownHosts=no");
    add("UserKnownHostsFile=\"" + keys.known_hosts_path().string() + "\"");
    if (is_this_machine(options.host)) {
        add("HostKeyAlias=" + local_host_alias(options.port));
    }
    // An agent's other keys are nobody's business.
    add("IdentitiesOnly=yes");
    if (std::filesystem::exists(keys.ssh_key_path())) {
        words.insert(words.end(), {"-i", keys.ssh_key_path().string()});
    }
    for (auto const& identity : options.identities) {
        words.insert(words.end(), {"-i", identity.string()});
    }
    words.insert(words.end(), options.ssh_options.begin(), options.ssh_options.end());
    words.push_back(host);
    return words;
}

void forget_local_host(KeyStore const& keys, std::uint16_t port) {
    if (std::filesystem::exists(keys.known_hosts_path())) {
        // Without an entry there is nothing to forget, and ssh-keygen says so.
        (void)run_command(
            {"ssh-keygen", "-q", "-R", local_host_alias(port), "-f", keys.known_hosts_path().string()});
    }
}

Result<UploadReport> upload(Console& console, KeyStore const& keys, std::filesystem::path const& archive,
                            UploadOptions const& options) {
    SystemClock const clock;
    MonotonicTime const began = clock.now();
    TRY(auto const metadata, firmware::read_metadata(archive));
    SshDevice const device(ssh_command(keys, options), options.host);
    TRY(auto const before, device.status());
    if (before.platform != metadata.platform) {
        return failure(
            ErrorCode::invalid_argument,
            fmt::format("{} is a device of platform {}, but the firmware is for {}; build it with `sinew "
                        "firmware --target {}`",
                        options.host, before.platform, metadata.platform, before.platform));
    }
    TRY_OK(device.check_ready());
    console.say(fmt::format("{} runs {} {} on slot {}; sending {} {}.", options.host, before.product,
                            before.version, before.slot, metadata.product, metadata.version));
    TRY(auto const sending, send(console, device, archive, before, options));
    MonotonicTime const sent = clock.now();
    UploadWatch watching(before, metadata.uuid, sent, options.limit);
    TRY(auto const after, watch(console, device, watching, options));
    return UploadReport{.metadata = metadata,
                        .before = before,
                        .after = after,
                        .sent_bytes = sending.bytes,
                        .as_delta = sending.as_delta,
                        .transfer = sent - began,
                        .total = clock.now() - began};
}

} // namespace sinew::tooling
