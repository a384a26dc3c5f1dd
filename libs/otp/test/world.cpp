#include "world.hpp"

#include "core/node_core.hpp"
#include "core/worker.hpp"

#include <sinew/otp/log.hpp>
#include <sinew/otp/node.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>

namespace sinew::testing {
namespace {

class NoLog final : public log::Sink {
public:
    void write(log::Event const& /*event*/) noexcept override {}
};
NoLog no_log;

} // namespace

World::World(Mode mode, std::uint64_t seed) {
    if (mode == Mode::simulation) {
        m_simulation = std::make_unique<Simulation>(seed);
    } else {
        m_node = std::make_unique<Node>(NodeOptions{.workers = 3, .log = &no_log});
    }
}

void World::settle() {
    if (m_simulation) {
        m_simulation->run_until_settled();
        return;
    }
    // On threads: all workers have been asleep with nothing left for them, at several looks in a row, and no
    // handler is under way on a thread that lost its worker.
    detail::NodeCore const& core = m_node->core();
    for (int settled_looks = 0; settled_looks < 3;) {
        bool is_settled = std::ranges::all_of(
            core.workers, [](detail::Worker const* worker) { return worker->is_settled(); });
        core.slots.for_each([&is_settled](detail::Process const& process) {
            is_settled = is_settled && !process.has(detail::Process::is_running);
        });
        settled_looks = is_settled ? settled_looks + 1 : 0;
        std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
}

} // namespace sinew::testing
