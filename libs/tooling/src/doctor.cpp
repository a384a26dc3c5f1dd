// `sinew doctor`: what is missing on this host and how to get it. See doctor.hpp.
#include <sinew/base/command.hpp>
#include <sinew/system.hpp>
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/doctor.hpp>

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace sinew::tooling {

namespace {

bool present_here(std::string const& probe) {
    std::error_code ignored;
    return probe.starts_with('/') ? std::filesystem::exists(probe, ignored) : find_program(probe).has_value();
}

struct Tally {
    std::size_t missing_needed = 0;
    Value::Array items;
};

Tally print_findings(Console& console, std::vector<Finding> const& findings) {
    Tally tally;
    for (Finding const& finding : findings) {
        Requirement const& item = finding.requirement;
        bool const needed = item.necessity == Necessity::needed;
        tally.missing_needed += (!finding.present && needed) ? 1 : 0;
        std::string_view const mark = finding.present ? "ok" : needed ? "MISSING" : "absent";
        console.say(fmt::format("  {:<8} {:<34} {}", mark, item.probe, item.used_for));
        tally.items.emplace_back(object({{"probe", item.probe},
                                         {"package", item.package},
                                         {"used_for", item.used_for},
                                         {"needed", needed},
                                         {"present", finding.present}}));
    }
    return tally;
}

bool has_kvm(std::filesystem::path const& root) {
    auto const loaded = system::load_system(root / "systems", "x86_64");
    return loaded && system::detect_acceleration(loaded->description) == system::Acceleration::kvm;
}

Result<int> diagnose(Context& context) {
    Console& console = context.console();
    auto const findings = examine(requirements(), present_here);
    Tally tally = print_findings(console, findings);
    bool const has_tree = context.root().has_value();
    console.say(fmt::format("  {:<8} {:<34} Sinew's own tree", has_tree ? "ok" : "MISSING",
                            has_tree ? context.paths().root.string() : "set SINEW_ROOT"));
    console.say(fmt::format("  {:<8} {:<34} {}", has_tree && has_kvm(*context.root()) ? "ok" : "absent",
                            "KVM", "sinew emulate at full speed (software emulation otherwise)"));
    auto const command = install_command(findings, geteuid() == 0);
    bool const healthy = tally.missing_needed == 0 && has_tree;
    if (command) {
        console.say(fmt::format("\nTo get what is missing:\n  {}", *command));
    }
    if (healthy) {
        console.success("\nEverything that is needed is here.");
    }
    console.result(object({{"healthy", healthy},
                           {"install_command", command ? Value(Value::Data(*command)) : Value()},
                           {"requirements", std::move(tally.items)}}));
    return healthy ? 0 : 1;
}

} // namespace

std::vector<Requirement> requirements() {
    return {
        {"g++", "g++", "building for this machine and for x86_64 targets"},
        {"cmake", "cmake", "every build"},
        {"ninja", "ninja-build", "every build"},
        {"ccache", "ccache", "building a second time in a fraction of the time", Necessity::useful},
        {"strip", "binutils", "sinew firmware"},
        {"/usr/include/boost/describe.hpp", "libboost-dev", "every build"},
        {"/usr/include/fmt/core.h", "libfmt-dev", "every build"},
        {"/usr/include/toml++/toml.h", "libtomlplusplus-dev", "every build"},
        {"/usr/include/sodium.h", "libsodium-dev", "every build"},
        {"/usr/include/zlib.h", "zlib1g-dev", "every build"},
        {"/usr/include/libdeflate.h", "libdeflate-dev", "every build"},
        {"/usr/include/gtest/gtest.h", "libgtest-dev", "sinew test"},
        {"/usr/include/gmock/gmock.h", "libgmock-dev", "sinew test"},
        {"apt-get", "apt", "sinew system build"},
        {"dpkg-deb", "dpkg", "sinew system build"},
        {"mksquashfs", "squashfs-tools", "sinew firmware"},
        {"cpio", "cpio", "sinew system build"},
        {"qemu-system-x86_64", "qemu-system-x86", "sinew emulate"},
        {"ssh", "openssh-client", "sinew upload"},
        {"ssh-keygen", "openssh-client", "sinew key ssh, sinew firmware"},
    };
}

std::vector<Finding> examine(std::vector<Requirement> const& wanted,
                             std::function<bool(std::string const&)> const& present) {
    std::vector<Finding> findings;
    findings.reserve(wanted.size());
    for (Requirement const& item : wanted) {
        findings.push_back({item, present(item.probe)});
    }
    return findings;
}

std::optional<std::string> install_command(std::vector<Finding> const& findings, bool as_root) {
    std::vector<std::string> packages;
    for (Finding const& finding : findings) {
        std::string const& package = finding.requirement.package;
        if (!finding.present && std::ranges::find(packages, package) == packages.end()) {
            packages.push_back(package);
        }
    }
    if (packages.empty()) {
        return std::nullopt;
    }
    return fmt::format("{}apt-get install --no-install-recommends {}", as_root ? "" : "sudo ",
                       join(packages, " "));
}

Command doctor_command() {
    Command command{.name = "doctor", .summary = "Say what is missing on this machine and how to get it"};
    command.examples = {{"sinew doctor", "a checklist, and the command that installs the rest"}};
    command.run = diagnose;
    return command;
}

} // namespace sinew::tooling
