/// apt in a private root: Debian's own resolver and signature checks, without touching this machine's
/// packages.
///
/// Invariant: nothing is installed and nothing outside the given folder is written; indexes count only with a
/// signature of the Debian archive keyring. An AptRoot belongs to one thread, and its folder to one process
/// at a time (the caller holds a lock).
#pragma once

#include <sinew/base/command.hpp>
#include <sinew/base/result.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/lock.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::system {

struct AptOptions {
    /// Its own place for indexes, state and configuration.
    std::filesystem::path folder{};
    /// See BuildOptions::mirrors.
    std::vector<std::string> mirrors{};
    std::function<void(std::chrono::milliseconds)> wait{};
    std::function<void(std::string const&)> on_notice;
    /// Each line apt says while it downloads.
    std::function<void(std::string_view)> on_line{};
    /// How programs are run; tests inject their own. Empty: run_command().
    std::function<Result<CommandResult>(std::vector<std::string> const&, CommandOptions const&)> run;
};

class AptRoot {
public:
    /// Writes the configuration. Errors: unavailable: this machine's apt has no Debian sources for the
    /// release; io.
    [[nodiscard]] static Result<AptRoot> create(Description const& description, AptOptions options);

    /// Fetches the signed indexes. Retried with growing pauses. Error unavailable: with what apt said.
    [[nodiscard]] Result<> update();
    /// What apt would install for the description's packages, at the release's current versions.
    [[nodiscard]] Result<Lock> resolve();
    /// Those packages that the archive doesn't have any more in this version, or has with other content.
    [[nodiscard]] Result<std::vector<LockedPackage>> find_vanished(std::span<LockedPackage const> packages);
    /// Those that would go to an older version than the lock has.
    [[nodiscard]] Result<std::vector<LockChange>> find_older(std::vector<LockChange> const& changes) const;
    /// Downloads into `folder`, as apt names the files. Retried. Error unavailable, corrupt.
    [[nodiscard]] Result<> download(std::vector<LockedPackage> const& packages,
                                    std::filesystem::path const& folder);

private:
    AptRoot(Description const& description, AptOptions options)
        : m_description(description)
        , m_options(std::move(options)) {}
    [[nodiscard]] Result<std::vector<std::string>> find_sources() const;
    [[nodiscard]] Result<> write_configuration(std::vector<std::string> const& sources,
                                               std::string_view transport) const;
    [[nodiscard]] std::vector<std::string> command(std::vector<std::string> const& arguments) const;
    [[nodiscard]] Result<CommandResult> run(std::vector<std::string> const& arguments,
                                            CommandOptions const& options = {}) const;
    [[nodiscard]] Result<> run_with_retries(std::vector<std::string> const& arguments,
                                            CommandOptions const& options, std::string_view what) const;

    Description const& m_description;
    AptOptions m_options;
};

/// One line of `apt-get --print-uris` as a package. Error corrupt: it isn't one.
[[nodiscard]] Result<LockedPackage> parse_uri_line(std::string_view line);

/// The sources.list lines for mirrors that were given ("URI" or "URI SUITE").
[[nodiscard]] std::vector<std::string> mirror_sources(std::vector<std::string> const& mirrors,
                                                      std::string_view release);

/// The sources.list lines for what `apt-get indextargets --format
/// '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)'` says of this machine: only Debian's, only the release's
/// suites, only main.
[[nodiscard]] std::vector<std::string> host_sources(std::string_view index_targets, std::string_view release);

} // namespace sinew::system
