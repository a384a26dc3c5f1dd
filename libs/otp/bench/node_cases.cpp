// A node as a whole: start and halt; memory and wake-ups when nothing happens.
#include "bench_case.hpp"

#include <sinew/otp.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace sinew::bench {
namespace {

struct Hello {
    using Reply = int;
};
class Greeter : public Server<Greeter> {
public:
    int handle_call(Hello /*request*/) { return 1; }
};

/// What a program with a node costs from its start to its end: for whoever runs `otp_bench halt` and takes
/// the time.
void halt(Reporter& report, Setting const& setting) {
    Node node(setting.node_options());
    report.add("halt", "answer", call(node.start<Greeter>().value(), Hello{}).value(), "n");
}
BenchCase const halt_case("halt", &halt);

/// Times that threads of this process gave up the processor because they waited.
double voluntary_switches() {
    double sum = 0;
    for (auto const& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream file(task.path() / "status");
        for (std::string word; file >> word;) {
            if (double count = 0; word == "voluntary_ctxt_switches:" && file >> count) {
                sum += count;
            }
        }
    }
    return sum;
}

void idle(Reporter& report, Setting const& setting) {
    using namespace std::chrono_literals;
    Node node(setting.node_options());
    auto const greeter = node.start<Greeter>().value();
    (void)call(greeter, Hello{});
    std::this_thread::sleep_for(100ms);
    double const before = voluntary_switches();
    std::this_thread::sleep_for(1s);
    // One is this thread's own.
    report.add("idle", "wakeups", voluntary_switches() - before - 1, "1/s");
    report.add("idle", "memory", resident_bytes() / 1048576, "MiB");
}
BenchCase const idle_case("idle", &idle);

} // namespace
} // namespace sinew::bench
