#include "node_core.hpp"
#include "worker.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/simulation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::testing {

class Simulation::LogRecorder final : public log::Sink {
public:
    void write(log::Event const& event) noexcept override {
        try {
            std::string const line = log::format(event);
            lines.push_back(line.substr(line.find('[')));
        } catch (...) {
            return;
        }
    }
    std::vector<std::string> lines;
};

Simulation::Simulation(std::uint64_t seed)
    : m_log(std::make_unique<LogRecorder>())
    , m_node(new Node(seed, *m_log)) {}

Simulation::~Simulation() = default;

Node& Simulation::node() noexcept {
    return *m_node;
}

bool Simulation::step() {
    detail::Worker& worker = *m_node->core().workers.front();
    worker.take_shared_work();
    worker.fire_timers(m_node->core().now_ns());
    if (worker.run_one()) {
        return true;
    }
    return !worker.file_watches.empty() && worker.poll_files(0);
}

void Simulation::run_until_settled(std::size_t step_limit) {
    for (std::size_t steps = 0; step(); ++steps) {
        if (steps == step_limit) {
            throw std::runtime_error("the simulation does not settle: processes keep each other busy");
        }
    }
}

void Simulation::advance(Duration time) {
    detail::NodeCore& core = m_node->core();
    run_until_settled();
    core.run_simulation_until(core.now_ns() + time.count(), [](void*) { return false; }, nullptr);
    run_until_settled();
}

MonotonicTime Simulation::now() const noexcept {
    return MonotonicTime(Duration(m_node->core().now_ns()));
}

std::vector<std::string> const& Simulation::log_lines() const noexcept {
    return m_log->lines;
}

bool Simulation::has_logged(std::string_view text) const noexcept {
    return std::ranges::any_of(
        m_log->lines, [text](std::string const& line) { return line.find(text) != std::string::npos; });
}

} // namespace sinew::testing
