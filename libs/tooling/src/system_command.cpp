// `sinew system`: the systems that firmware is built on.
#include <sinew/system.hpp>
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/context.hpp>

#include <fmt/core.h>

#include <memory>

namespace sinew::tooling {

namespace {

struct Options {
    std::string target;
    bool locked = false;
};

Result<system::Target> load(Context const& context, Options const& options) {
    TRY(auto const root, context.root());
    TRY_OK(context.check_target(options.target));
    return system::load_system(root / "systems", options.target);
}

system::BuildOptions build_options(Context const& context, bool locked) {
    Console& console = context.console();
    system::BuildOptions options;
    options.lock_policy = locked ? system::LockPolicy::locked : system::LockPolicy::update;
    options.cache = context.paths().cache;
    options.on_progress = [&console](system::BuildProgress const& progress) {
        console.progress(fmt::format("{} {}", progress.step, progress.detail),
                         static_cast<std::uint64_t>(progress.percent), 100, ProgressUnit::percent);
    };
    options.on_notice = [&console](std::string const& notice) { console.warn(notice); };
    return options;
}

Result<int> build(Context& context, Options const& options) {
    TRY(auto const target, load(context, options));
    StepTimer const timer(context.console(), "system " + options.target);
    TRY(auto const built, system::build_system(target, build_options(context, options.locked)));
    context.console().end_progress();
    context.console().success(
        fmt::format("The system {} is ready: {}", options.target, built.folder.string()));
    context.console().say(fmt::format("kernel {}", built.kernel_release));
    context.console().result(object({{"target", options.target},
                                     {"folder", built.folder.string()},
                                     {"key", built.key},
                                     {"kernel_release", built.kernel_release}}));
    return 0;
}

Result<int> lock(Context& context, Options const& options) {
    TRY(auto const target, load(context, options));
    auto wanted = build_options(context, false);
    wanted.on_notice = {}; // the changes are what is printed below
    TRY(auto const changes, system::update_lock(target, wanted));
    context.console().end_progress();
    context.console().say(changes.empty()
                              ? "Every package is pinned at the release's current version already."
                              : system::format_changes(changes));
    Value::Array list;
    for (system::LockChange const& change : changes) {
        list.push_back(object({{"name", change.name},
                               {"old_version", change.old_version},
                               {"new_version", change.new_version}}));
    }
    context.console().result(object({{"changes", std::move(list)}}));
    return 0;
}

Result<int> layout(Context& context, Options const& options) {
    TRY(auto const target, load(context, options));
    TRY(auto const placed, system::compute_layout(target.description));
    context.console().say(system::layout_markdown(target.description, placed));
    Value::Array partitions;
    for (system::PlacedPartition const& partition : placed.partitions) {
        partitions.push_back(object({{"name", partition.name},
                                     {"number", partition.number},
                                     {"block_offset", partition.block_offset},
                                     {"block_count", partition.block_count}}));
    }
    context.console().result(object({{"target", options.target}, {"partitions", std::move(partitions)}}));
    return 0;
}

Result<int> list(Context& context) {
    TRY(auto const names, context.targets());
    Value::Array entries;
    for (std::string const& name : names) {
        TRY(auto const target, load(context, {.target = name}));
        context.console().say(fmt::format("{:<12} {}", name, target.description.summary));
        entries.push_back(object({{"name", name}, {"summary", target.description.summary}}));
    }
    context.console().result(object({{"targets", std::move(entries)}}));
    return 0;
}

using Action = Result<int> (*)(Context&, Options const&);

Command subcommand(std::shared_ptr<Options> const& options, std::string name, std::string summary,
                   Action action) {
    Command command{.name = name, .summary = std::move(summary)};
    command.examples = {{fmt::format("sinew system {} x86_64", name), "for the target x86_64"}};
    command.positionals = {{.names = "TARGET",
                            .target = &options->target,
                            .help = "Which target",
                            .required = true,
                            .completes = Completes::target}};
    command.run = [options, action](Context& context) { return action(context, *options); };
    return command;
}

} // namespace

Command system_command() {
    auto options = std::make_shared<Options>();
    Command command{.name = "system",
                    .summary = "Build, pin and describe the systems that firmware is built on"};
    command.examples = {{"sinew system list", "the targets there are"},
                        {"sinew system build x86_64", "what `sinew firmware` does first"},
                        {"sinew system lock x86_64", "pin the release's current packages"},
                        {"sinew system layout x86_64", "where everything lies on the disk"}};
    Command build_one = subcommand(options, "build", "Assemble a system, or find it in the cache", build);
    build_one.options = {{.names = "--locked",
                          .target = &options->locked,
                          .help = "Refuse when a pinned package is gone, instead of taking its successor"}};
    Command list_all{.name = "list", .summary = "List the targets"};
    list_all.examples = {{"sinew system list", "name and summary of each"}};
    list_all.run = list;
    command.subcommands = {
        std::move(build_one), subcommand(options, "lock", "Resolve the packages anew and pin them", lock),
        subcommand(options, "layout", "Print the disk layout", layout), std::move(list_all)};
    return command;
}

} // namespace sinew::tooling
