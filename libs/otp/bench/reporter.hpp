/// Reporter: prints a benchmark's figures as lines `CASE METRIC VALUE UNIT`, or as one JSON array.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace sinew::bench {

class Reporter {
public:
    explicit Reporter(bool is_json)
        : m_is_json(is_json) {}
    Reporter(Reporter const&) = delete;
    Reporter& operator=(Reporter const&) = delete;
    Reporter(Reporter&&) = delete;
    Reporter& operator=(Reporter&&) = delete;
    ~Reporter() {
        if (m_is_json) {
            (void)std::printf("%s]\n", m_is_first ? "[" : "\n");
        }
    }
    void add(std::string const& name, std::string const& metric, double value, char const* unit) {
        if (m_is_json) {
            (void)std::printf(
                "%s\n  {\"case\": \"%s\", \"metric\": \"%s\", \"value\": %.3f, \"unit\": \"%s\"}",
                m_is_first ? "[" : ",", name.c_str(), metric.c_str(), value, unit);
        } else {
            (void)std::printf("%s %s %.3f %s\n", name.c_str(), metric.c_str(), value, unit);
        }
        m_is_first = false;
        (void)std::fflush(stdout);
    }
    void rate(std::string const& name, std::string const& metric, double count,
              std::chrono::nanoseconds time) {
        add(name, metric, count * 1e9 / static_cast<double>(time.count()), "ops/s");
    }

private:
    bool m_is_json;
    bool m_is_first = true;
};

} // namespace sinew::bench
