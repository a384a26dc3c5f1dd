// `sinew observe` and `sinew top`: looking into a running application.
#include <sinew/base/describe.hpp>
#include <sinew/otp/observe_socket.hpp>
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/live_view.hpp>
#include <sinew/tooling/observe.hpp>
#include <sinew/tooling/ports.hpp>
#include <sinew/tooling/upload.hpp>

#include <fmt/core.h>
#include <unistd.h>

#include <cctype>
#include <chrono>
#include <memory>
#include <thread>

namespace sinew::tooling {

namespace {

struct Options {
    std::string application;
    std::string socket;
    std::string device;
    std::int64_t port = 22;
    std::vector<std::string> ssh_options;
    bool once = false;
    bool all = false;
    std::int64_t interval_ms = 1000;
    // observe
    std::string format = "text";
    std::string state;
    std::string trace;
    std::string log;
    std::string log_levels;
    // top
    std::string sort = "rate";
    std::int64_t lines = 20;
};

Result<Observer> connect(Context const& context, Options const& options) {
    if (options.device.empty()) {
        TRY(auto const path, options.socket.empty()
                                 ? observe::find_socket(observe::socket_folder(), options.application)
                                 : Result<std::filesystem::path>(options.socket));
        return Observer::connect(path);
    }
    if (options.device.starts_with('-')) {
        return failure(ErrorCode::invalid_argument, fmt::format("'{}' is no host name", options.device));
    }
    UploadOptions host;
    host.host = options.device;
    TRY(host.port, checked_port(options.port));
    for (std::string const& setting : options.ssh_options) {
        host.ssh_options.insert(host.ssh_options.end(), {"-o", setting});
    }
    std::vector<std::string> command = ssh_command(KeyStore(context.paths().home), host);
    std::string const& wanted = options.socket.empty() ? options.application : options.socket;
    for (char const c : wanted) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 &&
            std::string_view("./_-").find(c) == std::string::npos) {
            return failure(ErrorCode::invalid_argument, fmt::format("'{}' is no application", wanted));
        }
    }
    command.insert(command.end(), {"sinewd", "observe"});
    if (!wanted.empty()) {
        command.push_back(wanted);
    }
    return Observer::run(command);
}

Internals internals(Options const& options) {
    return options.all ? Internals::shown : Internals::left_out;
}

/// Prints `text` for people, and the same thing for scripts.
int show(Context& context, std::string_view text, Value const& value) {
    context.console().say(text);
    context.console().result(value);
    return 0;
}

bool is_live(Context const& context, Options const& options) {
    return !options.once && !context.console().options().json && ::isatty(STDOUT_FILENO) == 1 &&
           ::isatty(STDIN_FILENO) == 1;
}

/// Draws what `render` makes of the last two snapshots until 'q'; other keys go to `press`.
template<typename Render, typename Press>
Result<int> watch(Observer& observer, Options const& options, Render&& render, Press&& press) {
    TRY(auto view, LiveView::open());
    TRY(auto before, observer.snapshot(internals(options)));
    for (;;) {
        std::optional<char> const key =
            LiveView::wait_for_key(std::chrono::milliseconds(options.interval_ms));
        if (key == 'q') {
            return 0;
        }
        if (key) {
            press(*key);
        }
        TRY(auto now, observer.snapshot(internals(options)));
        view.draw(headline(before, now) + "\n\n" + render(before, now));
        before = std::move(now);
    }
}

Result<int> observe_once(Context& context, Observer& observer, Options const& options) {
    TRY(auto const snapshot, observer.snapshot(internals(options)));
    if (options.format == "dot") {
        return show(context, observe::tree_dot(snapshot), encode(snapshot));
    }
    return show(context, headline(snapshot, snapshot) + "\n\n" + observe::tree_text(snapshot),
                encode(snapshot));
}

Result<int> ask_and_show(Context& context, Observer& observer, observe::Request const& request) {
    TRY(auto const answer, observer.ask(request));
    if (auto const* lines = answer.get_if<Value::Array>();
        lines != nullptr && request.operation == observe::Operation::log_tail) {
        for (Value const& line : *lines) {
            context.console().say(line.get_if<std::string>() != nullptr ? *line.get_if<std::string>() : "");
        }
        context.console().result(answer);
        return 0;
    }
    return show(context, format_json(answer, JsonStyle::indented), answer);
}

Result<int> run_observe(Context& context, Options const& options) {
    using observe::Operation;
    TRY(auto observer, connect(context, options));
    observe::Request request{.wait_ms = options.interval_ms};
    if (!options.state.empty()) {
        request.operation = Operation::state;
        request.process = options.state;
        return ask_and_show(context, observer, request);
    }
    if (!options.trace.empty()) {
        request.operation = Operation::trace;
        request.process = options.trace;
        return ask_and_show(context, observer, request);
    }
    if (!options.log_levels.empty()) {
        request.operation = Operation::log_levels;
        request.text = options.log_levels;
        return ask_and_show(context, observer, request);
    }
    if (!options.log.empty()) {
        request.operation = Operation::log_tail;
        request.text = options.log == "-" ? "" : options.log;
        return ask_and_show(context, observer, request);
    }
    if (options.format == "dot" || !is_live(context, options)) {
        return observe_once(context, observer, options);
    }
    return watch(
        observer, options,
        [](observe::Snapshot const& /*before*/, observe::Snapshot const& now) {
            return observe::tree_text(now);
        },
        [](char /*key*/) {});
}

TopOrder order_of(std::string_view name) {
    return name == "mailbox" ? TopOrder::mailbox : name == "handled" ? TopOrder::handled : TopOrder::rate;
}

Result<int> run_top(Context& context, Options const& options) {
    if (options.lines < 1 || options.lines > 10'000) {
        return failure(ErrorCode::invalid_argument, "--lines takes 1 to 10000");
    }
    TRY(auto observer, connect(context, options));
    TopOrder order = order_of(options.sort);
    auto const lines = static_cast<std::size_t>(options.lines);
    if (is_live(context, options)) {
        return watch(
            observer, options,
            [&](observe::Snapshot const& before, observe::Snapshot const& now) {
                return top_table(before, now, order, lines) + "\nr rate   m mailbox   h handled   q quit";
            },
            [&order](char key) {
                order = key == 'm'   ? TopOrder::mailbox
                        : key == 'h' ? TopOrder::handled
                        : key == 'r' ? TopOrder::rate
                                     : order;
            });
    }
    TRY(auto const before, observer.snapshot(internals(options)));
    std::this_thread::sleep_for(std::chrono::milliseconds(options.interval_ms));
    TRY(auto const now, observer.snapshot(internals(options)));
    Value::Object both;
    both.emplace_back("before", encode(before));
    both.emplace_back("now", encode(now));
    return show(context, headline(before, now) + "\n\n" + top_table(before, now, order, lines),
                Value(Value::Data(std::move(both))));
}

std::vector<Argument> common_options(std::shared_ptr<Options> const& options) {
    return {{.names = "--once", .target = &options->once, .help = "Print once and end, also on a terminal"},
            {.names = "--all",
             .target = &options->all,
             .help = "Also the runtime's own processes: log handlers, observers"},
            {.names = "--interval",
             .target = &options->interval_ms,
             .help = "Milliseconds between two looks, or of a trace (default 1000)",
             .value_name = "MS"},
            {.names = "--socket",
             .target = &options->socket,
             .help = "The application's observe socket, when it isn't in the usual folder",
             .value_name = "PATH",
             .completes = Completes::file},
            {.names = "--device",
             .target = &options->device,
             .help = "Look into an application on a device, over SSH",
             .value_name = "HOST"},
            {.names = "--port,-p",
             .target = &options->port,
             .help = "The device's SSH port (default 22)",
             .value_name = "PORT"},
            {.names = "--ssh-option,-o",
             .target = &options->ssh_options,
             .help = "An option for ssh, such as ProxyJump=host; may be repeated",
             .value_name = "OPTION"}};
}

Result<int> check_and(Result<int> (*run)(Context&, Options const&), Context& context,
                      Options const& options) {
    if (options.interval_ms < 50 || options.interval_ms > 60'000) {
        return failure(ErrorCode::invalid_argument, "--interval takes 50 to 60000 milliseconds");
    }
    return run(context, options);
}

Argument application_argument(std::shared_ptr<Options> const& options) {
    return {.names = "APPLICATION",
            .target = &options->application,
            .help = "Its name; not needed when only one is running"};
}

} // namespace

Command observe_command() {
    auto options = std::make_shared<Options>();
    Command command{.name = "observe", .summary = "Show a running application's supervision tree"};
    command.examples = {
        {"sinew observe", "the application that `sinew run` started, until q"},
        {"sinew observe --once --format dot | dot -Tsvg > tree.svg", "a picture of the tree"},
        {"sinew observe --device blinky.local", "of a device, over SSH"},
        {"sinew observe --state Led", "what the process of the class Led knows"},
        {"sinew observe --trace led --interval 5000", "what the process named led handles in five seconds"},
        {"sinew observe --log Button", "the newest log lines that hold Button (-: all)"},
        {"sinew observe --log-levels warning,led=debug", "change what is logged"}};
    command.positionals = {application_argument(options)};
    command.options = common_options(options);
    command.options.insert(command.options.end(),
                           {{.names = "--format",
                             .target = &options->format,
                             .help = "A text, or a graph for Graphviz",
                             .value_name = "FORMAT",
                             .choices = {"text", "dot"}},
                            {.names = "--state",
                             .target = &options->state,
                             .help = "Print the state of one process: its name, class or pid",
                             .value_name = "PROCESS"},
                            {.names = "--trace",
                             .target = &options->trace,
                             .help = "Print what one process handles",
                             .value_name = "PROCESS"},
                            {.names = "--log",
                             .target = &options->log,
                             .help = "Print the newest log lines with this text",
                             .value_name = "TEXT"},
                            {.names = "--log-levels",
                             .target = &options->log_levels,
                             .help = "Set log levels: LEVEL or MODULE=LEVEL,...",
                             .value_name = "LEVELS"}});
    command.run = [options](Context& context) { return check_and(run_observe, context, *options); };
    return command;
}

Command top_command() {
    auto options = std::make_shared<Options>();
    Command command{.name = "top", .summary = "Show a running application's busiest processes"};
    command.examples = {{"sinew top", "until q; r, m and h sort"},
                        {"sinew top --sort mailbox --once", "the longest mailboxes, once"},
                        {"sinew top --device blinky.local --json", "two snapshots for a script"}};
    command.positionals = {application_argument(options)};
    command.options = common_options(options);
    command.options.insert(command.options.end(), {{.names = "--sort",
                                                    .target = &options->sort,
                                                    .help = "What comes first",
                                                    .value_name = "ORDER",
                                                    .choices = {"rate", "mailbox", "handled"}},
                                                   {.names = "--lines,-n",
                                                    .target = &options->lines,
                                                    .help = "How many processes (default 20)",
                                                    .value_name = "NUMBER"}});
    command.run = [options](Context& context) { return check_and(run_top, context, *options); };
    return command;
}

} // namespace sinew::tooling
