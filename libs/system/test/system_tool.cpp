/// A small command line over libs/system, for the system tests and for looking at what it makes.
///
///     system_tool build SYSTEMS TARGET [--locked]           assembles; prints the paths as JSON
///     system_tool layout SYSTEMS TARGET                     the layout as Markdown
///     system_tool firmware SYSTEMS TARGET OUTPUT INIT VERSION   a firmware whose only program is INIT (as
///     /sbin/init) system_tool emulator SYSTEMS TARGET IMAGE LOG [kvm]   QEMU's command line, an argument a
///     line
#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/create.hpp>
#include <sinew/system.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace sinew::system;
using Arguments = std::vector<std::string>;

struct Paths {
    std::string folder{};
    std::string key{};
    std::string kernel_release{};
    std::string toolchain_file{};
    std::vector<std::string> early_modules{};
    std::vector<std::string> modules{};
};
BOOST_DESCRIBE_STRUCT(Paths, (), (folder, key, kernel_release, toolchain_file, early_modules, modules))

sinew::Result<BuiltSystem> build(Target const& target, LockPolicy policy) {
    BuildOptions options{.lock_policy = policy};
    options.on_notice = [](std::string const& text) { std::cerr << text << '\n'; };
    options.on_progress = [](BuildProgress const& progress) {
        std::cerr << progress.percent << "% " << progress.step << ' ' << progress.detail << '\n';
    };
    return build_system(target, options);
}

sinew::Result<> run_build(Target const& target, Arguments const& arguments) {
    bool const locked = !arguments.empty() && arguments[0] == "--locked";
    TRY(auto const built, build(target, locked ? LockPolicy::locked : LockPolicy::update));
    std::cout << sinew::to_json(Paths{.folder = built.folder.string(),
                                      .key = built.key,
                                      .kernel_release = built.kernel_release,
                                      .toolchain_file = built.toolchain_file.string(),
                                      .early_modules = built.modules.early,
                                      .modules = built.modules.late},
                                sinew::JsonStyle::indented)
              << '\n';
    return {};
}

sinew::Result<> run_layout(Target const& target, Arguments const&) {
    TRY(auto const layout, compute_layout(target.description));
    std::cout << layout_markdown(target.description, layout);
    return {};
}

sinew::Result<> run_firmware(Target const& target, Arguments const& arguments) {
    TRY(auto const built, build(target, LockPolicy::update));
    std::filesystem::path const output = arguments.at(0);
    FirmwareOptions options;
    options.programs = {{"sbin/init", arguments.at(1)}};
    options.identity.product = "stand-in";
    options.identity.version = arguments.at(2);
    options.build_time = 1'700'000'000;
    options.output = output;
    TRY(auto const inputs, assemble_firmware_inputs(built, options));
    sinew::firmware::CreateOptions create;
    create.script = inputs.update_script;
    create.output = output / "firmware.fw";
    create.variables = {{"SOURCE_DATE_EPOCH", "1700000000"}};
    TRY(auto const report, sinew::firmware::create_archive(create));
    for (auto const& resource : report.resources) {
        std::cerr << resource.name << ' ' << resource.size_bytes << ' ' << resource.compressed_bytes << '\n';
    }
    for (auto const& part : inputs.rootfs_parts) {
        std::cerr << "in the root file system: " << part.name << ' ' << part.size_bytes << '\n';
    }
    std::cout << create.output.string() << '\n';
    return {};
}

sinew::Result<> run_emulator(Target const& target, Arguments const& arguments) {
    bool const kvm = arguments.size() > 2 && arguments[2] == "kvm";
    EmulatorOptions const options{.image = arguments.at(0),
                                  .acceleration = kvm ? Acceleration::kvm : Acceleration::software,
                                  .serial = SerialConsole::file,
                                  .serial_path = arguments.at(1)};
    TRY(auto const command, emulator_command(target.description, options));
    for (auto const& word : command) {
        std::cout << word << '\n';
    }
    return {};
}

struct Command {
    std::function<sinew::Result<>(Target const&, Arguments const&)> run;
    std::size_t argument_count = 0;
};

sinew::Result<> run(Arguments const& arguments) {
    std::map<std::string, Command, std::less<>> const commands = {{"build", {run_build, 0}},
                                                                  {"layout", {run_layout, 0}},
                                                                  {"firmware", {run_firmware, 3}},
                                                                  {"emulator", {run_emulator, 2}}};
    auto const command = arguments.empty() ? commands.end() : commands.find(arguments[0]);
    if (command == commands.end() || arguments.size() < 3 + command->second.argument_count) {
        return sinew::failure(sinew::ErrorCode::invalid_argument,
                              "usage: system_tool build|layout|firmware|emulator SYSTEMS TARGET ...");
    }
    TRY(auto const target, load_system(arguments[1], arguments[2]));
    return command->second.run(target, Arguments(arguments.begin() + 3, arguments.end()));
}

} // namespace

int main(int count, char** values) {
    auto const result = run({values + 1, values + count});
    if (!result) {
        std::cerr << "system_tool: " << result.error().message() << '\n';
        return 1;
    }
    return 0;
}
