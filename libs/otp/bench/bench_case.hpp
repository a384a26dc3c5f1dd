/// BenchCase: one benchmark of the runtime, and what the cases share.
///
/// A file with a case defines a BenchCase at namespace scope; naming the file in CMakeLists.txt is all else
/// it takes. Threading: cases run one after the other, on the main thread.
#pragma once

#include "reporter.hpp"

#include <sinew/otp.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace sinew::bench {

/// Counts down to the end of a case; main waits for it.
class Gate {
public:
    explicit Gate(int count = 1)
        : m_left(count) {}
    void arrive() {
        if (m_left.fetch_sub(1) == 1) {
            m_left.notify_all();
        }
    }
    void wait() {
        for (int left = m_left.load(); left > 0; left = m_left.load()) {
            m_left.wait(left);
        }
    }

private:
    std::atomic<int> m_left;
};

class NoLog final : public log::Sink {
public:
    void write(log::Event const& /*event*/) noexcept override {}
};

struct Setting {
    unsigned workers = 0;
    NoLog* log = nullptr;
    [[nodiscard]] NodeOptions node_options() const { return {.workers = workers, .log = log}; }
};

using CaseFunction = void (*)(Reporter& report, Setting const& setting);

class BenchCase {
public:
    BenchCase(std::string name, CaseFunction function);
    [[nodiscard]] std::string const& name() const noexcept { return m_name; }
    void run(Reporter& report, Setting const& setting) const { m_function(report, setting); }

private:
    std::string m_name;
    CaseFunction m_function;
};
/// All cases of the program, by name.
[[nodiscard]] std::vector<BenchCase> const& all_cases();

/// What this program has in memory now.
[[nodiscard]] double resident_bytes();
/// Adds NAME.p50, NAME.p99 and NAME.max of `values`.
void add_percentiles(Reporter& report, std::string const& name, std::string const& metric,
                     std::vector<double> values, char const* unit);

struct Begin {};

} // namespace sinew::bench
