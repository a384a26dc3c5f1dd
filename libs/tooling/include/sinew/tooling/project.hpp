/// A project on disk: its name rules, its sinew.toml and where its parts lie.
///
/// Invariant: a Project's name is valid and its target known when it comes from Project::load().
#pragma once

#include <sinew/base/describe.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace sinew::tooling {

class Context;

struct FirmwareSettings {
    /// A key's name in $SINEW_HOME/keys, or the path of a private key; relative paths are the project's.
    std::string signing_key = "development";
    /// Further public keys (names or paths of .pub files) whose updates the device accepts.
    std::vector<std::string> trusted_keys;
    /// Folders laid over the root file system, in order: the last one wins.
    std::vector<std::string> rootfs_overlay = {"rootfs_overlay"};
};
BOOST_DESCRIBE_STRUCT(FirmwareSettings, (), (signing_key, trusted_keys, rootfs_overlay))

struct SshSettings {
    /// Who may log in as root: "development" (made on first use), paths of .pub files, or "ssh-ed25519
    /// AAAA..." lines.
    std::vector<std::string> authorized_keys = {"development"};
};
BOOST_DESCRIBE_STRUCT(SshSettings, (), (authorized_keys))

/// sinew.toml.
struct ProjectConfig {
    std::string name;
    std::string version = "0.1.0";
    std::string target = "x86_64";
    std::string description;
    std::string author;
    FirmwareSettings firmware;
    SshSettings ssh;
    /// Laid over the device's /etc/sinew/device.toml and init.toml: any key of those files.
    Value device;
    Value init;
};
BOOST_DESCRIBE_STRUCT(ProjectConfig, (),
                      (name, version, target, description, author, firmware, ssh, device, init))

/// Whether `name` can name a project: [a-z][a-z0-9_]*, at most 40 characters, underscores single and inside. Any such
/// name will do: what is made of it for C++ and CMake has a form that nobody else declares (template.hpp,
/// cmake/SinewApplication.cmake). Error invalid_argument says which rule it breaks and proposes a name where one is
/// near.
[[nodiscard]] Result<> check_project_name(std::string_view name);
/// "sensor_node" as the type of its application: "SensorNodeApplication".
[[nodiscard]] std::string type_name_of(std::string_view project_name);
/// Whether `version` is MAJOR.MINOR.PATCH with an optional -prerelease and +build. Error invalid_argument.
[[nodiscard]] Result<> check_version(std::string_view version);

class Project {
public:
    /// The project that `start` lies in (its own folder or the next above with a sinew.toml).
    /// Errors: not_found: no sinew.toml; invalid_argument: file:line: key: reason.
    [[nodiscard]] static Result<Project> load(Context const& context, std::filesystem::path const& start);

    [[nodiscard]] std::filesystem::path const& folder() const noexcept { return m_folder; }
    [[nodiscard]] ProjectConfig const& config() const noexcept { return m_config; }
    /// Builds for `target` instead of the one that sinew.toml names; it has been checked.
    void set_target(std::string target) { m_config.target = std::move(target); }
    /// build/host or build/<target>.
    [[nodiscard]] std::filesystem::path build_folder(std::string_view target) const {
        return m_folder / "build" / target;
    }
    /// Where `sinew firmware` puts its result unless told otherwise.
    [[nodiscard]] std::filesystem::path firmware_path() const {
        return build_folder(m_config.target) / (m_config.name + ".fw");
    }
    /// The disk image that `sinew emulate` boots.
    [[nodiscard]] std::filesystem::path image_path() const {
        return build_folder(m_config.target) / (m_config.name + ".img");
    }

private:
    Project(std::filesystem::path folder, ProjectConfig config)
        : m_folder(std::move(folder))
        , m_config(std::move(config)) {}

    std::filesystem::path m_folder;
    ProjectConfig m_config;
};

} // namespace sinew::tooling
