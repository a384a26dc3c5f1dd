#include "core/inspection.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "messages/mailbox.hpp"
#include "simulation/allocation_faults.hpp"

#include <sinew/otp/faults.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>
#include <typeinfo>
#include <utility>
#include <vector>

namespace sinew::detail {

void (*arm_allocation_failure)(std::size_t countdown) noexcept = nullptr;

} // namespace sinew::detail

namespace sinew::testing {

/// Decides at each message of each process.
class Faults::Hook final : public detail::MessageHook {
public:
    explicit Hook(std::uint64_t seed)
        : m_random(seed) {}
    Verdict before_message(detail::Process& process, std::type_info const* message) override {
        Verdict verdict;
        for (Rule& rule : rules) {
            bool const fits = *rule.process == *process.behaviour->type &&
                              (rule.message == nullptr || (message != nullptr && *rule.message == *message));
            if (!fits) {
                continue;
            }
            ++rule.seen;
            if (rule.seen >= rule.time.at && rule.seen - rule.time.at < rule.time.count) {
                ++happened;
                verdict = verdict_of(rule);
            }
        }
        if (verdict.kind == Verdict::Kind::handle && !process.behaviour->is_supervisor) {
            verdict = by_chance();
        }
        return verdict;
    }
    void lose(detail::Envelope* message) override { m_lost.push_back(message); }
    void enter_handler() noexcept override {
        if (m_failing_allocation != 0) {
            detail::arm_allocation_failure(std::exchange(m_failing_allocation, 0));
        }
    }
    void leave_handler() noexcept override {
        if (detail::arm_allocation_failure != nullptr) {
            detail::arm_allocation_failure(0);
        }
    }
    void clear() {
        rules.clear();
        random = {};
        m_failing_allocation = 0;
        for (detail::Envelope* const message : std::exchange(m_lost, {})) {
            detail::bounce(message);
        }
    }
    std::vector<Rule> rules;
    RandomFaults random;
    std::size_t happened = 0;

private:
    Verdict verdict_of(Rule const& rule) {
        switch (rule.action) {
        case Action::crash:
            return {.kind = Verdict::Kind::crash};
        case Action::drop:
            return {.kind = Verdict::Kind::drop};
        case Action::delay:
            return {.kind = Verdict::Kind::stall, .time = rule.how_long};
        case Action::fail_allocation:
            m_failing_allocation = rule.allocation;
            return {};
        }
        return {};
    }
    Verdict by_chance() {
        std::uniform_real_distribution<double> dice(0, 1);
        Verdict verdict;
        if (random.crash > 0 && dice(m_random) < random.crash) {
            verdict.kind = Verdict::Kind::crash;
        } else if (random.drop > 0 && dice(m_random) < random.drop) {
            verdict.kind = Verdict::Kind::drop;
        } else if (random.delay > 0 && dice(m_random) < random.delay) {
            std::uniform_int_distribution<std::int64_t> time(1, random.longest_delay.count());
            verdict = {.kind = Verdict::Kind::stall, .time = Duration(time(m_random))};
        } else {
            return verdict;
        }
        ++happened;
        return verdict;
    }
    std::mt19937_64 m_random;
    std::size_t m_failing_allocation = 0;
    std::vector<detail::Envelope*> m_lost;
};

Faults::Faults(std::uint64_t seed)
    : m_hook(std::make_shared<Hook>(seed)) {}

Faults::~Faults() = default;

void Faults::install(detail::NodeCore& core) {
    if (std::exchange(core.message_hook, m_hook) != nullptr) {
        return;
    }
    core.slots.for_each([this](detail::Process& process) {
        if ((process.pid().value() & detail::Process::free_bit) == 0) {
            detail::inspect(process).hook = m_hook;
        }
    });
}

void Faults::add(Rule rule) {
    m_hook->rules.push_back(rule);
}

void Faults::require_allocation_faults() {
    if (detail::arm_allocation_failure == nullptr) {
        throw std::logic_error("fail_allocation(): link the test program with sinew::otp_testing");
    }
}

void Faults::be_random(RandomFaults faults) {
    m_hook->random = faults;
}

void Faults::clear() {
    m_hook->clear();
}

std::size_t Faults::happened() const noexcept {
    return m_hook->happened;
}

} // namespace sinew::testing
