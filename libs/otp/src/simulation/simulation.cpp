#include "application/services.hpp"
#include "core/chooser.hpp"
#include "core/node_core.hpp"
#include "core/timer_wheel.hpp"
#include "core/worker.hpp"
#include "simulation/virtual_run.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/logger.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/simulation.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <typeinfo>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

std::string& replay_of_this_thread() {
    thread_local std::string replay;
    return replay;
}

std::string_view environment(char const* name) {
    char const* const text = std::getenv(name); // NOLINT(concurrency-mt-unsafe): tests don't set it
    return text != nullptr ? text : "";
}

template<typename Number>
Number number_of(std::string_view text, char const* name) {
    Number number{};
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw std::invalid_argument(std::string(name) + ": '" + std::string(text) + "' is no number");
    }
    return number;
}

std::optional<std::uint64_t> seed_of_environment() {
    std::string_view const text = environment("SINEW_SIMULATION_SEED");
    return text.empty() ? std::nullopt
                        : std::optional(number_of<std::uint64_t>(text, "SINEW_SIMULATION_SEED"));
}

std::optional<Schedule> schedule_of_environment() {
    std::string_view text = environment("SINEW_SIMULATION_SCHEDULE");
    if (text.empty()) {
        return std::nullopt;
    }
    Schedule schedule;
    while (!text.empty()) {
        std::size_t const dot = std::min(text.find('.'), text.size());
        schedule.push_back(number_of<std::uint32_t>(text.substr(0, dot), "SINEW_SIMULATION_SCHEDULE"));
        text.remove_prefix(std::min(dot + 1, text.size()));
    }
    return schedule;
}

} // namespace

class Simulation::LogRecorder final : public log::Sink {
public:
    void write(log::Event const& event) noexcept override {
        try {
            std::string const line = log::format(event);
            lines.push_back(line.substr(line.find('[')));
        } catch (...) {
            return;
        }
        if (m_logger && m_logger->accepts(event.level, log::module_of(event.where.file_name()))) {
            m_logger->write(event);
        }
    }
    [[nodiscard]] log::Logger* logger() noexcept override {
        try {
            if (!m_logger) {
                m_logger = std::make_unique<log::Logger>(log::LoggerOptions{.fallback = nullptr});
            }
        } catch (std::bad_alloc const&) {
            return nullptr;
        }
        return m_logger.get();
    }
    std::vector<std::string> lines;

private:
    std::unique_ptr<log::Logger> m_logger;
};

/// Decides, and remembers what.
class Simulation::Scheduler final : public detail::Chooser {
public:
    explicit Scheduler(std::uint64_t seed)
        : m_seed(seed)
        , m_random(seed) {}
    explicit Scheduler(Schedule schedule)
        : m_schedule(std::move(schedule)) {}

    std::size_t choose(std::size_t count) override {
        std::uint32_t taken = 0;
        if (!m_schedule) {
            taken = static_cast<std::uint32_t>(m_random() % count);
            return taken; // The seed says it all.
        }
        if (decisions.size() < m_schedule->size()) {
            taken = std::min((*m_schedule)[decisions.size()], static_cast<std::uint32_t>(count - 1));
        }
        decisions.push_back({.taken = taken, .among = static_cast<std::uint32_t>(count)});
        replay_of_this_thread() = replay();
        return taken;
    }
    [[nodiscard]] std::string replay() const {
        if (!m_schedule) {
            return "SINEW_SIMULATION_SEED=" + std::to_string(m_seed);
        }
        std::string text = "SINEW_SIMULATION_SCHEDULE=";
        for (std::size_t at = 0; at < decisions.size(); ++at) {
            text += (at == 0 ? "" : ".") + std::to_string(decisions[at].taken);
        }
        return text;
    }
    std::vector<Decision> decisions;

private:
    std::uint64_t m_seed = 0;
    std::mt19937_64 m_random;
    std::optional<Schedule> m_schedule;
};

Simulation::Simulation()
    : Simulation(seed_of_environment().value_or(1)) {}

Simulation::Simulation(std::uint64_t seed)
    : Simulation(seed, std::make_unique<Scheduler>(seed)) {}

Simulation::Simulation(Schedule schedule)
    : Simulation(1, std::make_unique<Scheduler>(std::move(schedule))) {}

Simulation::Simulation(std::uint64_t seed, std::unique_ptr<Scheduler> scheduler)
    : m_log(std::make_unique<LogRecorder>())
    , m_scheduler(std::move(scheduler))
    , m_node(new Node(seed, *m_log)) {
    m_node->core().chooser = m_scheduler.get();
    m_faults = std::make_shared<Faults>(seed);
    replay_of_this_thread() = m_scheduler->replay();
}

Simulation::~Simulation() {
    m_faults->clear();
    for (auto const& applications : m_applications) {
        applications->forget();
    }
}

Node& Simulation::node() noexcept {
    return *m_node;
}

Result<SupervisorRef> Simulation::start(Application& application, Config const& config) {
    std::string const name = detail::readable_type_name(typeid(application));
    auto applications = std::make_unique<Applications>(*m_node, config);
    TRY_OK(detail::add_all(*applications, application, name));
    if (auto started = applications->ensure_all_started(name, ApplicationType::permanent); !started) {
        return std::unexpected(std::move(started).error());
    }
    Result<SupervisorRef> tree = applications->tree(name);
    m_applications.push_back(std::move(applications));
    return tree;
}

Result<> Simulation::stop_applications() {
    Result<> result;
    for (; !m_applications.empty(); m_applications.pop_back()) {
        if (Result<> stopped = m_applications.back()->stop_all(); !stopped && result) {
            result = std::move(stopped);
        }
    }
    return result;
}

Faults& Simulation::faults() {
    m_faults->install(m_node->core());
    return *m_faults;
}

bool Simulation::step() {
    return detail::run_simulation_step(m_node->core());
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
    detail::run_simulation_until(
        core, detail::TimerWheel::time_after(core.now_ns(), time.count()), [](void*) { return false; },
        nullptr);
    run_until_settled();
}

bool Simulation::travel_until_settled(Duration limit) {
    detail::NodeCore& core = m_node->core();
    std::int64_t const deadline_ns = detail::TimerWheel::time_after(core.now_ns(), limit.count());
    for (;;) {
        run_until_settled();
        std::int64_t const next_ns = core.workers.front()->timers.next_due();
        if (next_ns == detail::TimerWheel::never) {
            return true;
        }
        if (next_ns > deadline_ns) {
            return false;
        }
        detail::run_simulation_until(core, next_ns, [](void*) { return false; }, nullptr);
    }
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

std::vector<Simulation::Decision> const& Simulation::decisions() const noexcept {
    return m_scheduler->decisions;
}

std::string Simulation::replay() const {
    return m_scheduler->replay();
}

std::string Simulation::last_replay() {
    return replay_of_this_thread();
}

void for_each_seed(std::size_t count, std::function<void(Simulation&)> const& body) {
    if (auto const seed = seed_of_environment()) {
        Simulation simulation(*seed);
        body(simulation);
        return;
    }
    for (std::uint64_t seed = 1; seed <= count; ++seed) {
        Simulation simulation(seed);
        body(simulation);
    }
}

Exploration explore(std::function<void(Simulation&)> const& body, ExploreOptions options) {
    if (auto schedule = schedule_of_environment()) {
        Simulation simulation(*std::move(schedule));
        body(simulation);
        return {.schedules = 1, .is_complete = false};
    }
    Exploration exploration;
    Schedule next;
    while (exploration.schedules < options.most_schedules) {
        Simulation simulation(next);
        body(simulation);
        ++exploration.schedules;
        // Depth first: the last decision that has an alternative left takes it.
        std::vector<Simulation::Decision> const& decisions = simulation.decisions();
        std::size_t depth = decisions.size();
        while (depth > 0 && decisions[depth - 1].taken + 1 == decisions[depth - 1].among) {
            --depth;
        }
        if (depth == 0) {
            exploration.is_complete = true;
            break;
        }
        next.clear();
        for (std::size_t at = 0; at < depth; ++at) {
            next.push_back(decisions[at].taken);
        }
        ++next.back();
    }
    return exploration;
}

} // namespace sinew::testing
