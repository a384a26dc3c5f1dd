#include "fault_injection.hpp"

#include "power_cut_disk.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::firmware::test {

namespace {

char const* name_of(Fault fault) {
    switch (fault) {
    case Fault::power_loss:
        return "power loss";
    case Fault::io_error:
        return "I/O error";
    case Fault::disk_full:
        return "full disk";
    default:
        return "failed sync";
    }
}

/// Says in the end what wasn't tried.
class Tally final : public ::testing::Environment {
public:
    void TearDown() override {
        if (m_tried < m_all) {
            std::cout << "Faults: " << m_tried << " of " << m_all
                      << " were tried; SINEW_TEST_ALL=1 tries all.\n";
        }
    }
    void add(std::uint64_t tried, std::uint64_t all) {
        m_tried += tried;
        m_all += all;
    }

private:
    std::uint64_t m_tried = 0;
    std::uint64_t m_all = 0;
};

// GoogleTest owns it.
// NOLINTNEXTLINE(cppcoreguidelines-owning-memory)
auto* const tally = static_cast<Tally*>(::testing::AddGlobalTestEnvironment(new Tally));

/// The writes that get a fault.
std::vector<std::uint64_t> chosen_writes(Fault fault, std::uint64_t count) {
    constexpr std::uint64_t step = 4;
    std::vector<std::uint64_t> chosen;
    for (std::uint64_t at = 0; at < count; ++at) {
        bool const is_outermost = at == 0 || at + 1 == count;
        bool const is_in_sample =
            fault == Fault::power_loss ? at % step == 0 || at + 2 == count : at == count / 2;
        if (everything_is_tried() || is_outermost || is_in_sample) {
            chosen.push_back(at);
        }
    }
    return chosen;
}

/// In which ways power goes after a fault at write `at`: see PowerCutDisk::after_power_loss().
std::vector<std::uint32_t> chosen_seeds(std::uint64_t at, std::uint64_t count, std::uint32_t ways) {
    std::vector<std::uint32_t> seeds(ways);
    std::iota(seeds.begin(), seeds.end(), 0u);
    if (everything_is_tried() || ways <= 2 || at + 1 == count) { // the last write is the one that commits
        return seeds;
    }
    return {2 + static_cast<std::uint32_t>(at) % (ways - 2)};
}

} // namespace

bool everything_is_tried() {
    static auto const* const value = std::getenv("SINEW_TEST_ALL"); // NOLINT(concurrency-mt-unsafe)
    return value != nullptr && std::string_view(value) == "1";
}

Bytes after(Update const& update) {
    PowerCutDisk disk(update.before, PowerCutDisk::never);
    must(apply(update.archive, disk, update.options));
    return disk.after_power_loss(0);
}

void inject_everywhere(Update const& update, FaultPlan const& plan,
                       std::function<void(PowerCutDisk&)> const& check) {
    PowerCutDisk counter(update.before, PowerCutDisk::never);
    must(apply(update.archive, counter, update.options));
    for (auto const fault : plan.faults) {
        auto const count = fault == Fault::sync_error ? counter.sync_count() : counter.write_count();
        auto const ways = fault == Fault::power_loss ? plan.ways_to_lose_power : 2;
        std::uint64_t tried = 0;
        for (auto const at : chosen_writes(fault, count)) {
            PowerCutDisk disk(update.before, at, fault);
            ASSERT_FALSE(apply(update.archive, disk, update.options)) << name_of(fault) << " at " << at;
            for (auto const seed : chosen_seeds(at, count, ways)) {
                SCOPED_TRACE(std::string(name_of(fault)) + " at " + std::to_string(at) + " of " +
                             std::to_string(count) + ", seed " + std::to_string(seed));
                PowerCutDisk left(disk.after_power_loss(seed, plan.sectors), PowerCutDisk::never);
                check(left);
                if (::testing::Test::HasFailure()) {
                    return;
                }
                ++tried;
            }
        }
        tally->add(tried, count * ways);
    }
}

std::vector<Bytes> remains_of(Update const& update, FaultPlan const& plan) {
    std::vector<Bytes> remains;
    auto only_power = plan;
    only_power.faults = {Fault::power_loss};
    inject_everywhere(update, only_power, [&](PowerCutDisk& left) {
        // As text: comparing bytes one by one takes long without optimisation.
        auto const is_same = [&](Bytes const& other) { return as_text(other) == as_text(left.content()); };
        if (std::ranges::none_of(remains, is_same)) {
            remains.push_back(left.content());
        }
    });
    return remains;
}

} // namespace sinew::firmware::test
