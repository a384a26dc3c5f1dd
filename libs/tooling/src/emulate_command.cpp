// `sinew emulate`: boots an image in QEMU.
#include <sinew/system.hpp>
#include <sinew/tooling/burn.hpp>
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/keys.hpp>
#include <sinew/tooling/ports.hpp>
#include <sinew/tooling/process.hpp>
#include <sinew/tooling/project.hpp>
#include <sinew/tooling/upload.hpp>

#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

struct Options {
    std::string image;
    std::string firmware;
    std::string target;
    std::string log;
    std::string acceleration = "auto";
    std::int64_t ssh_port = 0;
    bool headless = false;
    bool snapshot = false;
};

/// What to boot: named by options, or the project's.
struct Machine {
    system::Target target;
    fs::path image;
};

Result<fs::path> prepare_image(Context const& context, fs::path const& image, fs::path const& archive) {
    if (fs::exists(image)) {
        std::error_code none;
        if (fs::exists(archive) && fs::last_write_time(archive, none) > fs::last_write_time(image, none)) {
            context.console().warn(fmt::format(
                "{} is newer than {}; `sinew burn --image {}` writes it there and keeps "
                "/data, `sinew upload localhost` updates the running device",
                archive.filename().string(), image.filename().string(), fs::proximate(image).string()));
        }
        return image;
    }
    if (!fs::exists(archive)) {
        return failure(ErrorCode::not_found,
                       fmt::format("there is neither an image {} nor a firmware {}; make it with "
                                   "`sinew firmware`",
                                   fs::proximate(image).string(), fs::proximate(archive).string()));
    }
    TRY(auto const made, burn_image(context, archive, image, {}));
    context.console().say(fmt::format("Made {} with {} {}.", fs::proximate(image).string(),
                                      made.metadata.product, made.metadata.version));
    return image;
}

Result<Machine> choose_machine(Context const& context, Options const& options) {
    TRY(auto const root, context.root());
    std::string target = options.target;
    fs::path image = options.image;
    fs::path archive = options.firmware;
    if (image.empty() || target.empty()) {
        auto const project = Project::load(context, fs::current_path());
        if (!project && image.empty()) {
            return std::unexpected(Error(project.error().code(), project.error().message()));
        }
        if (project) {
            target = target.empty() ? project->config().target : target;
            image = image.empty() ? project->image_path() : image;
            archive = archive.empty() ? project->firmware_path() : archive;
        }
    }
    target = target.empty() ? "x86_64" : target;
    TRY_OK(context.check_target(target));
    TRY(auto loaded, system::load_system(root / "systems", target));
    TRY(auto ready, prepare_image(context, image, archive));
    return Machine{std::move(loaded), std::move(ready)};
}

Result<system::Acceleration> acceleration(system::Description const& description, std::string const& wanted) {
    system::Acceleration const possible = system::detect_acceleration(description);
    if (wanted == "tcg") {
        return system::Acceleration::software;
    }
    if (wanted == "kvm" && possible != system::Acceleration::kvm) {
        return failure(
            ErrorCode::unavailable,
            "KVM can't be used here (no writable /dev/kvm that QEMU can start a machine with, or the target "
            "has another architecture); leave --accel out or say --accel tcg");
    }
    return possible;
}

void announce(Context const& context, Machine const& machine, Options const& options, std::uint16_t port,
              bool terminal) {
    Console& console = context.console();
    std::string const key = KeyStore(context.paths().home).ssh_key_path().string();
    console.step(fmt::format("{} boots {} ({})", machine.target.description.name,
                             fs::proximate(machine.image).string(),
                             options.snapshot ? "nothing is kept" : "changes are kept"));
    console.say(fmt::format("  ssh      ssh -p {0} -i {1} root@localhost\n"
                            "  update   sinew upload localhost --port {0}",
                            port, key));
    console.say(terminal ? "  end      Ctrl-A X (Ctrl-A H for help)\n" : "  end      Ctrl-C\n");
    console.result(object(
        {{"image", machine.image.string()}, {"ssh_port", port}, {"pid", getpid()}, {"log", options.log}}));
}

Result<int> emulate(Context& context, Options const& options) {
    TRY(auto const machine, choose_machine(context, options));
    TRY(auto const accelerated, acceleration(machine.target.description, options.acceleration));
    TRY(std::uint16_t const port, options.ssh_port == 0 ? free_port() : checked_port(options.ssh_port));
    bool const terminal = !options.headless;
    system::EmulatorOptions wanted;
    wanted.image = fs::absolute(machine.image);
    wanted.acceleration = accelerated;
    wanted.ssh_port = port;
    wanted.snapshot = options.snapshot;
    wanted.serial = terminal ? system::SerialConsole::terminal : system::SerialConsole::file;
    wanted.serial_path = !options.log.empty() ? fs::absolute(options.log)
                         : terminal           ? fs::path()
                                              : "/dev/null";
    TRY(auto const command, system::emulator_command(machine.target.description, wanted));
    context.console().detail(join(command, " "));
    announce(context, machine, options, port, terminal);
    forget_local_host(KeyStore(context.paths().home), port);
    // On the terminal QEMU has the keyboard, so that Ctrl-C reaches the guest.
    TRY(auto const status, run_attached(command, {.on_interrupt = terminal ? OnInterrupt::passes_on
                                                                           : OnInterrupt::asks_to_end}));
    return status.shell_status();
}

} // namespace

Command emulate_command() {
    auto options = std::make_shared<Options>();
    Command command{.name = "emulate", .summary = "Boot the firmware in QEMU, without hardware"};
    command.examples = {
        {"sinew emulate", "serial console on this terminal; Ctrl-A X ends it"},
        {"sinew emulate --headless --ssh-port 2222 --log boot.log", "in the background of a script"},
        {"sinew emulate --snapshot", "forget all changes at the end"}};
    command.options = {
        {.names = "--image",
         .target = &options->image,
         .help = "Another image than the project's; made from the .fw if missing",
         .value_name = "FILE",
         .completes = Completes::file},
        {.names = "--firmware,-i",
         .target = &options->firmware,
         .help = "The .fw a missing image is made from",
         .value_name = "FILE",
         .completes = Completes::file},
        {.names = "--target,-t",
         .target = &options->target,
         .help = "Which machine to emulate (default: the project's target)",
         .value_name = "TARGET",
         .completes = Completes::target},
        {.names = "--ssh-port",
         .target = &options->ssh_port,
         .help = "Port of this machine that leads to the device's SSH (default: a free one)",
         .value_name = "PORT"},
        {.names = "--log",
         .target = &options->log,
         .help = "Write the serial console to this file",
         .value_name = "FILE",
         .completes = Completes::file},
        {.names = "--accel",
         .target = &options->acceleration,
         .help = "auto, kvm or tcg (software)",
         .value_name = "HOW",
         .choices = {"auto", "kvm", "tcg"}},
        {.names = "--headless", .target = &options->headless, .help = "No console on this terminal"},
        {.names = "--snapshot",
         .target = &options->snapshot,
         .help = "Forget all changes to the image at the end"}};
    command.run = [options](Context& context) { return emulate(context, *options); };
    return command;
}

} // namespace sinew::tooling
