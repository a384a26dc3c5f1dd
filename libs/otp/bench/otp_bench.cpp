// otp_bench [--json] [--workers N] [CASE...]: what the runtime costs. `./dev bench otp` runs it against its
// peers.
#include "bench_case.hpp"
#include "reporter.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::bench {
namespace {

std::vector<BenchCase>& registered_cases() {
    static std::vector<BenchCase> cases;
    return cases;
}

} // namespace

BenchCase::BenchCase(std::string name, CaseFunction function)
    : m_name(std::move(name))
    , m_function(function) {
    registered_cases().push_back(*this);
}

std::vector<BenchCase> const& all_cases() {
    std::ranges::sort(registered_cases(), {}, &BenchCase::name);
    return registered_cases();
}

double resident_bytes() {
    std::ifstream file("/proc/self/statm");
    double pages = 0;
    file >> pages >> pages;
    return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void add_percentiles(Reporter& report, std::string const& name, std::string const& metric,
                     std::vector<double> values, char const* unit) {
    std::ranges::sort(values);
    report.add(name, metric + ".p50", values.at(values.size() / 2), unit);
    report.add(name, metric + ".p99", values.at(values.size() * 99 / 100), unit);
    report.add(name, metric + ".max", values.back(), unit);
}

} // namespace sinew::bench

int main(int argc, char** argv) {
    using namespace sinew::bench;
    std::vector<std::string_view> const arguments(argv + 1, argv + argc);
    bool is_json = false;
    NoLog no_log;
    Setting setting{.log = &no_log};
    std::vector<std::string_view> wanted;
    try {
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            if (arguments[i] == "--json") {
                is_json = true;
            } else if (arguments[i] == "--workers" && i + 1 < arguments.size()) {
                setting.workers = static_cast<unsigned>(std::stoul(std::string(arguments[++i])));
            } else {
                wanted.push_back(arguments[i]);
            }
        }
        Reporter report(is_json);
        for (BenchCase const& one : all_cases()) {
            if (wanted.empty() || std::ranges::find(wanted, one.name()) != wanted.end()) {
                one.run(report, setting);
            }
        }
    } catch (std::exception const& error) {
        (void)std::fprintf(stderr, "otp_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}
