/// Driving apt-get.
///
/// Invariant: every call carries the private configuration and none of the host's, in a fixed locale.
#include "apt.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/lock.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace sinew::system {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::string_view keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Pauses between attempts; an archive that is being updated needs minutes at worst, usually seconds.
constexpr std::array<std::chrono::milliseconds, 4> pauses = {2s, 5s, 15s, 30s};

std::string source_line(std::string_view uri, std::string_view suite) {
    // A snapshot of the archive is old on purpose; elsewhere an index that has run out may hide a mend.
    auto const age = uri.contains("://snapshot.debian.org/") ? " check-valid-until=no" : "";
    return fmt::format("deb [signed-by={}{}] {} {} main", keyring, age, uri, suite);
}

/// Of the host's settings those that say how to reach an archive; what to believe is decided here.
std::string transport_settings(std::string_view dump) {
    constexpr std::array<std::string_view, 10> kept = {
        "acquire::http::proxy",      "acquire::https::proxy",   "acquire::https::cainfo",
        "acquire::https::capath",    "acquire::https::sslcert", "acquire::https::sslkey",
        "acquire::forceipv4",        "acquire::forceipv6",      "acquire::http::user-agent",
        "acquire::https::user-agent"};
    std::string settings;
    for (auto const line : split(dump, '\n')) {
        std::string lower(line);
        std::ranges::transform(lower, lower.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        bool const is_kept = std::ranges::any_of(kept, [&](auto name) { return lower.starts_with(name); });
        if (is_kept && line.ends_with("\";") && std::ranges::count(line, '"') == 2 &&
            !line.ends_with("\"\";")) {
            settings += std::string(line) + "\n";
        }
    }
    return settings;
}

std::string decode_percent(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const code = text[i] == '%' && i + 2 < text.size()
                              ? parse_number<std::uint8_t>(text.substr(i + 1, 2), 16)
                              : std::nullopt;
        if (code) {
            decoded += static_cast<char>(*code);
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

/// The lines in which apt says what went wrong, without the repetition of every index.
std::string complaints(CommandResult const& result) {
    std::string text;
    int count = 0;
    for (auto const line : split(result.error_output, '\n')) {
        if ((line.starts_with("E:") || line.starts_with("W:")) && ++count <= 5) {
            text += "\n  " + std::string(line);
        }
    }
    return text.empty() ? fmt::format(" (exit status {})", result.status) : text;
}

/// Trying again doesn't help when an index has no good signature, or a package isn't there.
bool is_final(std::string_view error_output) {
    constexpr std::array<std::string_view, 4> signs = {"NO_PUBKEY", "is not signed",
                                                       "Unable to locate package", "was not found"};
    return std::ranges::any_of(signs, [&](auto sign) { return error_output.contains(sign); });
}

std::string status_entry(std::string_view name, std::string_view architecture) {
    return fmt::format("Package: {}\nStatus: install ok installed\nArchitecture: {}\nMulti-Arch: foreign\n"
                       "Version: 999:0\nMaintainer: Sinew\nDescription: provided by the system itself\n\n",
                       name, architecture);
}

} // namespace

std::vector<std::string> mirror_sources(std::vector<std::string> const& mirrors, std::string_view release) {
    std::vector<std::string> sources;
    for (auto const& mirror : mirrors) {
        auto const space = mirror.find(' ');
        auto const uri = mirror.substr(0, space);
        if (space != std::string::npos) {
            sources.push_back(source_line(uri, mirror.substr(space + 1)));
        } else if (!uri.empty()) {
            sources.push_back(source_line(uri, release));
        }
    }
    return sources;
}

std::vector<std::string> host_sources(std::string_view index_targets, std::string_view release) {
    std::set<std::string> sources;
    for (auto const line : split(index_targets, '\n')) {
        auto const fields = split(line, '|');
        if (fields.size() != 4) {
            continue;
        }
        // apt leaves $(ORIGIN) standing when it has no index yet.
        bool const is_debian = fields[3] == "Debian" || fields[3].empty() || fields[3].starts_with('$');
        bool const is_release = fields[1] == release || fields[1] == std::string(release) + "-updates" ||
                                fields[1] == std::string(release) + "-security";
        if (is_debian && is_release && fields[2] == "main") {
            sources.insert(source_line(fields[0], fields[1]));
        }
    }
    return {sources.begin(), sources.end()};
}

Result<LockedPackage> parse_uri_line(std::string_view line) {
    auto const fields = split(line, ' ');
    constexpr std::string_view hash_prefix = "SHA256:";
    auto const bad = [&] {
        return failure(ErrorCode::corrupt, fmt::format("apt said something unexpected: '{}'", line));
    };
    if (fields.size() != 4 || !fields[3].starts_with(hash_prefix)) {
        return bad();
    }
    auto const parts = split(fields[1], '_'); // NAME_VERSION_ARCHITECTURE.deb
    constexpr std::string_view suffix = ".deb";
    if (parts.size() != 3 || !parts[2].ends_with(suffix)) {
        return bad();
    }
    LockedPackage package{.name = decode_percent(parts[0]),
                          .version = decode_percent(parts[1]),
                          .architecture = std::string(parts[2].substr(0, parts[2].size() - suffix.size())),
                          .sha256 = std::string(fields[3].substr(hash_prefix.size())),
                          .size_bytes = 0};
    auto const size = parse_int64(fields[2], 0, std::numeric_limits<std::int64_t>::max());
    if (!size) {
        return bad();
    }
    package.size_bytes = *size;
    return package;
}

Result<AptRoot> AptRoot::create(Description const& description, AptOptions options) {
    if (!options.run) {
        options.run = run_command;
    }
    if (!options.wait) {
        options.wait = [](std::chrono::milliseconds pause) { std::this_thread::sleep_for(pause); };
    }
    AptRoot root(description, std::move(options));
    TRY(auto const sources, root.find_sources());
    TRY(auto const settings, root.m_options.run({"apt-config", "dump"}, {.environment = {{"LC_ALL", "C"}}}));
    TRY_OK(root.write_configuration(sources, transport_settings(settings.output)));
    return root;
}

Result<std::vector<std::string>> AptRoot::find_sources() const {
    if (!m_options.mirrors.empty()) {
        return mirror_sources(m_options.mirrors, m_description.release);
    }
    TRY(auto const targets,
        m_options.run({"apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)",
                       "Created-By: Packages"},
                      {.environment = {{"LC_ALL", "C"}}}));
    auto sources = host_sources(targets.output, m_description.release);
    if (sources.empty()) {
        return failure(
            ErrorCode::unavailable,
            fmt::format(
                "this machine's apt has no source for Debian {}: set SINEW_DEBIAN_MIRROR to the URI of "
                "a Debian archive",
                m_description.release));
    }
    return sources;
}

Result<> AptRoot::write_configuration(std::vector<std::string> const& sources,
                                      std::string_view transport) const {
    auto const& folder = m_options.folder;
    std::error_code error;
    for (auto const* part : {"lists/partial", "cache/archives/partial", "state"}) {
        fs::create_directories(folder / part, error);
    }
    std::string status;
    for (auto const& name : m_description.packages.provided) {
        status += status_entry(name, m_description.architecture);
    }
    auto const path = folder.string();
    auto const configuration = fmt::format(R"CONF(APT::Architecture "{architecture}";
#clear APT::Architectures;
APT::Architectures {{ "{architecture}"; }};
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Default-Release;
#clear DPkg;
APT::Install-Recommends "0";
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "0";
APT::Update::Error-Mode "any";
Acquire::AllowInsecureRepositories "0";
Acquire::AllowWeakRepositories "0";
Acquire::AllowDowngradeToInsecureRepositories "0";
Acquire::Check-Valid-Until "1";
Acquire::Check-Date "1";
Acquire::ForceHash "SHA256";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::State::lists "{folder}/lists";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
{transport})CONF",
                                           fmt::arg("architecture", m_description.architecture),
                                           fmt::arg("folder", path), fmt::arg("transport", transport));
    TRY_OK(write_file_atomically(folder / "apt.conf", as_bytes(configuration)));
    TRY_OK(write_file_atomically(folder / "status", as_bytes(status)));
    return write_file_atomically(folder / "sources.list",
                                 as_bytes(fmt::format("{}\n", fmt::join(sources, "\n"))));
}

std::vector<std::string> AptRoot::command(std::vector<std::string> const& arguments) const {
    std::vector<std::string> all = {"apt-get", "-c", (m_options.folder / "apt.conf").string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
}

Result<CommandResult> AptRoot::run(std::vector<std::string> const& arguments,
                                   CommandOptions const& options) const {
    auto with_locale = options;
    with_locale.environment.emplace_back("LC_ALL", "C");
    // apt reads this file before the host's, and then leaves those alone.
    with_locale.environment.emplace_back("APT_CONFIG", (m_options.folder / "apt.conf").string());
    return m_options.run(command(arguments), with_locale);
}

Result<> AptRoot::run_with_retries(std::vector<std::string> const& arguments, CommandOptions const& options,
                                   std::string_view what) const {
    for (std::size_t attempt = 0;; ++attempt) {
        TRY(auto const result, run(arguments, options));
        if (result.status == 0) {
            return {};
        }
        auto const said = complaints(result);
        if (attempt == pauses.size() || is_final(result.error_output)) {
            bool const mismatch = result.error_output.contains("Hash Sum mismatch");
            return failure(
                mismatch ? ErrorCode::corrupt : ErrorCode::unavailable,
                fmt::format(
                    "{} failed after {} attempt{}:{}\nSee whether the archive is reachable and "
                    "complete, or name another one in SINEW_DEBIAN_MIRROR; then run again: it goes on "
                    "where it was",
                    what, attempt + 1, attempt == 0 ? "" : "s", said));
        }
        if (m_options.on_notice) {
            m_options.on_notice(
                fmt::format("{} failed, trying again in {} s:{}", what, pauses.at(attempt) / 1s, said));
        }
        m_options.wait(pauses.at(attempt));
    }
}

Result<> AptRoot::update() {
    return run_with_retries({"update"}, {.on_line = m_options.on_line}, "fetching Debian's package indexes");
}

Result<Lock> AptRoot::resolve() {
    std::vector<std::string> arguments = {"-qq", "-y", "--no-install-recommends", "--print-uris", "install"};
    auto const& packages = m_description.packages;
    for (auto const& [name, files] : packages.device) {
        arguments.push_back(name);
    }
    arguments.insert(arguments.end(), packages.build.begin(), packages.build.end());
    arguments.insert(arguments.end(), packages.sysroot.begin(), packages.sysroot.end());
    TRY(auto const result, run(arguments));
    if (result.status != 0) {
        return failure(ErrorCode::not_found,
                       "apt can't resolve the packages of system.toml:" + complaints(result));
    }
    Lock lock{.release = m_description.release, .packages = {}};
    for (auto const line : split(result.output, '\n')) {
        if (!line.empty()) {
            TRY(auto package, parse_uri_line(line));
            lock.packages.push_back(std::move(package));
        }
    }
    std::ranges::sort(lock.packages, {}, &LockedPackage::name);
    return lock;
}

Result<std::vector<LockedPackage>> AptRoot::find_vanished(std::span<LockedPackage const> packages) {
    std::vector<LockedPackage> vanished;
    std::vector<std::string> arguments = {"-qq", "--print-uris", "download"};
    for (auto const& package : packages) {
        arguments.push_back(package.name + "=" + package.version);
    }
    TRY(auto const all, run(arguments));
    if (all.status != 0) { // at least one is gone, and apt names only the first: search each half
        if (packages.size() <= 1) {
            return std::vector(packages.begin(), packages.end());
        }
        auto const half = packages.size() / 2;
        TRY(vanished, find_vanished(packages.first(half)));
        TRY(auto const others, find_vanished(packages.subspan(half)));
        vanished.insert(vanished.end(), others.begin(), others.end());
        return vanished;
    }
    std::set<std::string> offered;
    for (auto const line : split(all.output, '\n')) {
        if (!line.empty()) {
            TRY(auto const package, parse_uri_line(line));
            offered.insert(package.sha256);
        }
    }
    std::ranges::copy_if(packages, std::back_inserter(vanished),
                         [&](auto const& package) { return !offered.contains(package.sha256); });
    return vanished;
}

Result<std::vector<LockChange>> AptRoot::find_older(std::vector<LockChange> const& changes) const {
    std::vector<LockChange> older;
    for (auto const& change : changes) {
        if (change.old_version.empty() || change.new_version.empty() ||
            change.old_version == change.new_version) {
            continue;
        }
        TRY(auto const compared,
            m_options.run({"dpkg", "--compare-versions", change.new_version, "lt", change.old_version}, {}));
        if (compared.status == 0) {
            older.push_back(change);
        }
    }
    return older;
}

Result<> AptRoot::download(std::vector<LockedPackage> const& packages, fs::path const& folder) {
    std::vector<std::string> arguments = {"download"};
    for (auto const& package : packages) {
        arguments.push_back(package.name + "=" + package.version);
    }
    return run_with_retries(arguments, {.working_directory = folder, .on_line = m_options.on_line},
                            "downloading packages");
}

} // namespace sinew::system
