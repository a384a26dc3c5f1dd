/// fwup: a small program over libs/firmware with the command line of the original.
///
/// Exit status: 0 or 1. Threading: one thread.
#include "commands.hpp"
#include "console.hpp"
#include "options.hpp"

#include <csignal>

int main(int argc, char** argv) {
    using namespace sinew::fwup;
    // Whoever reads the output may be gone; that ends no update.
    std::signal(SIGPIPE, SIG_IGN);
    Options options;
    Console console(options);
    if (auto const parsed = parse_options(argc, argv, options); !parsed) {
        options.command = Command::none;
        console.error(parsed.error().message());
        console.usage();
        return console.finish(1);
    }
    auto const done = run_command(options, console);
    if (!done) {
        console.error(done.error().message());
    }
    return console.finish(done ? 0 : 1);
}
