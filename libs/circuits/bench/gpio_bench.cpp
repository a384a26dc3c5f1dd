// How fast a line is written, read and heard. Simulated always; the kernel's where it has a chip, against the
// bare ioctl.
#include <sinew/base/clock.hpp>
#include <sinew/circuits.hpp>

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <memory>
#include <optional>

namespace {

using namespace sinew::circuits;

std::shared_ptr<Board> simulated_board() {
    static sinew::SystemClock const clock;
    return *SimulatedBoard::create({{.label = "sim", .line_count = 8, .names = {}, .pairs = true}}, clock);
}

void write_line(benchmark::State& state, Board& board, std::string_view name) {
    auto line = board.open_gpio(name, {.direction = Direction::output, .consumer = "bench"});
    if (!line) {
        state.SkipWithError(line.error().message().c_str());
        return;
    }
    bool value = false;
    for (auto _ : state) {
        value = !value;
        benchmark::DoNotOptimize(line->write(value));
    }
}

void write_simulated(benchmark::State& state) {
    write_line(state, *simulated_board(), "sim:0");
}
BENCHMARK(write_simulated);

void hear_simulated_edge(benchmark::State& state) {
    auto const board = simulated_board();
    auto output = board->open_gpio("sim:0", {.direction = Direction::output});
    auto input = board->open_gpio("sim:1", {.edges = Edges::both});
    bool value = false;
    for (auto _ : state) {
        value = !value;
        benchmark::DoNotOptimize(output->write(value));
        benchmark::DoNotOptimize(input->read_edges());
    }
}
BENCHMARK(hear_simulated_edge);

/// The first line of the machine's first chip, when it is free.
std::optional<LineInfo> kernel_line() {
    auto const lines = KernelBoard().lines();
    return lines && !lines->empty() && !lines->front().used ? std::optional(lines->front()) : std::nullopt;
}

void write_kernel(benchmark::State& state) {
    KernelBoard board;
    auto const line = kernel_line();
    write_line(state, board, line ? line->chip + ":0" : "none");
}

/// The limit: the ioctl and nothing else.
void write_bare_ioctl(benchmark::State& state) {
    auto const line = kernel_line();
    sinew::FileDescriptor const chip(::open(("/dev/" + line->chip).c_str(), O_RDWR | O_CLOEXEC));
    gpio_v2_line_request request{};
    request.num_lines = 1;
    request.config.flags = GPIO_V2_LINE_FLAG_OUTPUT;
    if (::ioctl(chip.get(), GPIO_V2_GET_LINE_IOCTL, &request) != 0) {
        state.SkipWithError("the line can't be taken");
        return;
    }
    sinew::FileDescriptor const held(request.fd);
    gpio_v2_line_values values{.bits = 0, .mask = 1};
    for (auto _ : state) {
        values.bits ^= 1;
        benchmark::DoNotOptimize(::ioctl(held.get(), GPIO_V2_LINE_SET_VALUES_IOCTL, &values));
    }
}

} // namespace

int main(int argc, char** argv) {
    if (kernel_line()) {
        benchmark::RegisterBenchmark("write_kernel", write_kernel);
        benchmark::RegisterBenchmark("write_bare_ioctl", write_bare_ioctl);
    }
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
