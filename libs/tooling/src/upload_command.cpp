// `sinew upload`: updates a device over SSH and waits for what becomes of it.
#include <sinew/base/file.hpp>
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/ports.hpp>
#include <sinew/tooling/project.hpp>
#include <sinew/tooling/upload.hpp>

#include <fmt/core.h>

#include <filesystem>
#include <memory>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

struct Options {
    std::string host;
    std::string firmware;
    std::string previous;
    std::int64_t port = 22;
    std::int64_t timeout_s = 300;
    std::vector<std::string> ssh_options;
};

Result<fs::path> archive_of(Context const& context, Options const& options) {
    if (!options.firmware.empty()) {
        return fs::path(options.firmware);
    }
    TRY(auto const project, Project::load(context, fs::current_path()));
    if (!fs::exists(project.firmware_path())) {
        return failure(ErrorCode::not_found, fmt::format("there is no {} yet; make it with `sinew firmware`",
                                                         fs::proximate(project.firmware_path()).string()));
    }
    return project.firmware_path();
}

/// Where a copy of what was uploaded last is kept, so that the next upload can send only what changed.
fs::path last_uploaded(fs::path const& archive) {
    return archive.string() + ".uploaded";
}

/// Not being able to only makes the next upload larger.
void remember_uploaded(Console& console, fs::path const& archive) {
    auto const copy = last_uploaded(archive);
    auto const unfinished = fs::path(copy.string() + ".part");
    std::error_code error;
    fs::copy_file(archive, unfinished, fs::copy_options::overwrite_existing, error);
    if (!error) {
        fs::rename(unfinished, copy, error);
    }
    if (error) {
        console.warn(fmt::format("{} can't be written ({}); the next upload will send everything",
                                 copy.string(), error.message()));
    }
}

Result<int> run_upload(Context& context, Options const& options) {
    if (options.host.empty() || options.host.starts_with('-')) {
        return failure(ErrorCode::invalid_argument, fmt::format("'{}' is no host name", options.host));
    }
    if (options.timeout_s < 1 || options.timeout_s > 86400) {
        return failure(ErrorCode::invalid_argument, "--timeout takes 1 to 86400 seconds");
    }
    TRY(auto const archive, archive_of(context, options));
    TRY(auto const port, checked_port(options.port));
    UploadOptions wanted;
    wanted.host = options.host;
    wanted.port = port;
    wanted.limit = std::chrono::seconds(options.timeout_s);
    for (std::string const& setting : options.ssh_options) {
        wanted.ssh_options.insert(wanted.ssh_options.end(), {"-o", setting});
    }
    KeyStore const keys(context.paths().home);
    TRY(auto const offered, TemporaryDirectory::create("sinew-upload"));
    if (auto const project = Project::load(context, fs::current_path())) {
        wanted.identities =
            identities(project->config().ssh.authorized_keys, project->folder(), offered.path());
    }
    wanted.previous = options.previous.empty() ? last_uploaded(archive) : fs::path(options.previous);
    TRY(auto const done, upload(context.console(), keys, archive, wanted));
    remember_uploaded(context.console(), archive);
    Console& console = context.console();
    console.success(fmt::format("{} runs {} {} on slot {}, validated ({} in all, {} of it sending).",
                                options.host, done.after.product, done.after.version, done.after.slot,
                                format_duration(done.total), format_duration(done.transfer)));
    console.result(object({{"host", options.host},
                           {"product", done.after.product},
                           {"version", done.after.version},
                           {"previous_version", done.before.version},
                           {"uuid", done.after.uuid},
                           {"slot", done.after.slot},
                           {"validated", done.after.validated},
                           {"sent_bytes", done.sent_bytes},
                           {"as_delta", done.as_delta},
                           {"transfer_s", std::chrono::duration<double>(done.transfer).count()},
                           {"total_s", std::chrono::duration<double>(done.total).count()}}));
    return 0;
}

} // namespace

Command upload_command() {
    auto options = std::make_shared<Options>();
    Command command{.name = "upload",
                    .summary = "Update a running device over SSH and wait until it is back"};
    command.examples = {{"sinew upload blinky.local", "the project's firmware"},
                        {"sinew upload localhost --port 2222", "to an emulated device"},
                        {"sinew upload 192.168.1.20 -i blinky-1.2.fw", "that firmware"}};
    command.positionals = {
        {.names = "HOST", .target = &options->host, .help = "[user@]name or address", .required = true}};
    command.options = {{.names = "--port,-p",
                        .target = &options->port,
                        .help = "Its SSH port (default 22)",
                        .value_name = "PORT"},
                       {.names = "--firmware,-i",
                        .target = &options->firmware,
                        .help = "Another .fw than the project's",
                        .value_name = "FILE",
                        .completes = Completes::file},
                       {.names = "--previous",
                        .target = &options->previous,
                        .help = "What the device may run now (default: what was uploaded last); if so, only "
                                "what changed is sent",
                        .value_name = "FILE",
                        .completes = Completes::file},
                       {.names = "--timeout",
                        .target = &options->timeout_s,
                        .help = "Seconds to wait for the new firmware to be validated (default 300)",
                        .value_name = "SECONDS"},
                       {.names = "--ssh-option,-o",
                        .target = &options->ssh_options,
                        .help = "An option for ssh, such as ProxyJump=host; may be repeated",
                        .value_name = "OPTION"}};
    command.run = [options](Context& context) { return run_upload(context, *options); };
    return command;
}

} // namespace sinew::tooling
