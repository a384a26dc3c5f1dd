// What `sinew top` prints. See observe.hpp.
#include <sinew/tooling/console.hpp>
#include <sinew/tooling/observe.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

namespace sinew::tooling {

namespace {

struct Line {
    observe::Process const* process = nullptr;
    /// Messages a second.
    double rate = 0;
    /// Of one processor.
    double busy_percent = 0;
};

double seconds_between(observe::Snapshot const& before, observe::Snapshot const& now) {
    return static_cast<double>(now.taken_us - before.taken_us) / 1e6;
}

std::vector<Line> lines_of(observe::Snapshot const& before, observe::Snapshot const& now) {
    std::map<std::string_view, observe::Process const*> known;
    for (observe::Process const& process : before.processes) {
        known.emplace(process.pid, &process);
    }
    double const seconds = seconds_between(before, now);
    auto const a_second = [seconds](std::int64_t count) {
        return seconds > 0 && count > 0 ? static_cast<double>(count) / seconds : 0;
    };
    std::vector<Line> lines;
    for (observe::Process const& process : now.processes) {
        auto const found = known.find(process.pid);
        observe::Process const fresh;
        observe::Process const& was = found != known.end() ? *found->second : fresh;
        lines.push_back({.process = &process,
                         .rate = a_second(process.messages_handled - was.messages_handled),
                         .busy_percent = a_second(process.busy_us - was.busy_us) / 1e4});
    }
    return lines;
}

double weight(Line const& line, TopOrder order) {
    switch (order) {
    case TopOrder::rate:
        return line.rate;
    case TopOrder::mailbox:
        return static_cast<double>(line.process->mailbox_length);
    case TopOrder::handled:
        return static_cast<double>(line.process->messages_handled);
    }
    return 0;
}

/// The last part of a class's name is what tells it apart.
std::string shortened(std::string const& text, std::size_t width) {
    return text.size() <= width ? text : "…" + text.substr(text.size() - width + 1);
}

} // namespace

std::string headline(observe::Snapshot const& before, observe::Snapshot const& now) {
    double const seconds = seconds_between(before, now);
    std::string busy;
    for (std::size_t at = 0; at < now.workers.size() && at < before.workers.size(); ++at) {
        double const used = static_cast<double>(now.workers[at].busy_us - before.workers[at].busy_us) / 1e6;
        busy += fmt::format(" {:.0f} %", seconds > 0 ? std::max(100 * used / seconds, 0.0) : 0);
    }
    return fmt::format(
        "{} {}  {} processes  schedulers{}  {}", now.application, now.version, now.process_count,
        busy.empty() ? " -" : busy,
        format_size(static_cast<std::uint64_t>(std::max<std::int64_t>(now.resident_bytes, 0))));
}

std::string top_table(observe::Snapshot const& before, observe::Snapshot const& now, TopOrder order,
                      std::size_t lines) {
    std::vector<Line> all = lines_of(before, now);
    std::ranges::sort(all, std::ranges::greater(), [order](Line const& line) {
        return std::pair(weight(line, order), std::string_view(line.process->pid));
    });
    all.resize(std::min(all.size(), lines));
    std::string text = fmt::format("{:>10} {:<32} {:<10} {:>8} {:>10} {:>6} {:>12}\n", "pid", "process",
                                   "state", "mailbox", "messages/s", "cpu %", "handled");
    for (Line const& line : all) {
        observe::Process const& process = *line.process;
        std::string const title =
            process.name.empty() ? process.label : process.label + " \"" + process.name + "\"";
        text += fmt::format("{:>10} {:<32} {:<10} {:>8} {:>10.1f} {:>6.1f} {:>12}\n", process.pid,
                            shortened(title, 32), process.state, process.mailbox_length, line.rate,
                            line.busy_percent, process.messages_handled);
    }
    return text;
}

} // namespace sinew::tooling
