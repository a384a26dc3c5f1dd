// See simulated_state.hpp.
#include "simulated_state.hpp"

#include "gpio_errors.hpp"
#include "simulated_net.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>
#include <sinew/circuits/simulated_board.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::circuits {

namespace {

constexpr std::size_t most_history = 1024;
constexpr std::size_t most_edges_a_read = 64;

void raise_event(FileDescriptor const& event) {
    std::uint64_t const one = 1;
    // It can only fail when the counter is full, and then it is readable already.
    [[maybe_unused]] auto const written = ::write(event.get(), &one, sizeof(one));
}

void clear_event(FileDescriptor const& event) {
    std::uint64_t count = 0;
    // Called with the lock held; it does not block (EFD_NONBLOCK).
    // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection)
    [[maybe_unused]] auto const taken = ::read(event.get(), &count, sizeof(count));
}

bool is_active(GpioOptions const& options, bool level) {
    return level != (options.polarity == Polarity::active_low);
}

} // namespace

SimulatedBoard::State::State(std::vector<SimulatedChip> const& chips, Clock const& clock)
    : m_clock(clock) {
    for (SimulatedChip const& chip : chips) {
        std::string const name = "gpiochip" + std::to_string(m_chips.size());
        std::size_t const first = m_lines.size();
        m_chips.push_back(
            {.name = name, .label = chip.label, .line_count = chip.line_count, .open_errno = 0});
        for (std::uint32_t offset = 0; offset < chip.line_count; ++offset) {
            Line line;
            line.info.chip = name;
            line.info.chip_label = chip.label;
            line.info.offset = offset;
            line.info.name = offset < chip.names.size() ? chip.names[offset] : "";
            std::size_t const partner = first + (offset ^ 1U);
            if (chip.pairs && partner < first + chip.line_count) {
                line.wired_to = partner;
            }
            m_lines.push_back(std::move(line));
        }
    }
}

std::vector<ChipInfo> SimulatedBoard::State::chips() const {
    std::lock_guard const lock(m_mutex);
    return m_chips;
}

std::vector<LineInfo> SimulatedBoard::State::lines(std::string const& chip_name) const {
    std::lock_guard const lock(m_mutex);
    std::vector<LineInfo> found;
    for (Line const& line : m_lines) {
        if (line.info.chip == chip_name) {
            found.push_back(line.info);
        }
    }
    return found;
}

std::size_t SimulatedBoard::State::index_of(LineInfo const& line) const {
    std::lock_guard const lock(m_mutex);
    auto const same = [&](Line const& other) {
        return other.info.chip == line.chip && other.info.offset == line.offset;
    };
    return static_cast<std::size_t>(std::ranges::find_if(m_lines, same) - m_lines.begin());
}

Result<> SimulatedBoard::State::fail_if_injected(Line& line, GpioOperation operation) {
    auto const fault = std::ranges::find(line.faults, operation, &GpioFault::operation);
    if (fault == line.faults.end()) {
        return {};
    }
    ErrorCode const code = fault->code;
    std::string message = "GPIO line " + to_string(line.info) + ": " + fault->message;
    if (--fault->times <= 0) {
        line.faults.erase(fault);
    }
    return failure(code, std::move(message));
}

void SimulatedBoard::State::apply(Line& line, GpioOptions const& options) {
    line.options = options;
    line.info.consumer = options.consumer;
    line.info.direction = options.direction;
    line.info.bias = options.bias;
    line.info.drive = options.drive;
    line.info.polarity = options.polarity;
    line.info.debounce = options.debounce;
    line.end.output = output_stage(options, is_active(options, options.initial_value));
    line.end.pull = pull_of(options.bias);
    if (options.edges != Edges::none && !line.event) {
        line.event = FileDescriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    }
}

Result<> SimulatedBoard::State::take_line(std::size_t index, GpioOptions const& options) {
    std::lock_guard const lock(m_mutex);
    Line& line = m_lines[index];
    TRY_OK(fail_if_injected(line, GpioOperation::open));
    if (line.info.used) {
        return std::unexpected(line_busy(line.info));
    }
    line.info.used = true;
    apply(line, options);
    update(index);
    // A new holder starts with what the line is now: no edge is due for it.
    line.settled_level = line.level;
    line.unsettled_since.reset();
    line.edges.clear();
    line.sequence = 0;
    line.last_read_sequence = 0;
    return {};
}

void SimulatedBoard::State::release_line(std::size_t index) {
    std::lock_guard const lock(m_mutex);
    Line& line = m_lines[index];
    // Direction and level stay, as on most chips; edges end.
    line.info.used = false;
    line.info.consumer.clear();
    line.options.edges = Edges::none;
    line.edges.clear();
    line.event.close();
}

Result<bool> SimulatedBoard::State::read(std::size_t index) {
    std::lock_guard const lock(m_mutex);
    settle_all();
    Line& line = m_lines[index];
    TRY_OK(fail_if_injected(line, GpioOperation::read));
    bool const level = line.options.debounce.count() > 0 ? line.settled_level : line.level;
    return is_active(line.options, level);
}

Result<> SimulatedBoard::State::write(std::size_t index, bool value) {
    std::lock_guard const lock(m_mutex);
    Line& line = m_lines[index];
    TRY_OK(fail_if_injected(line, GpioOperation::write));
    line.end.output = output_stage(line.options, is_active(line.options, value));
    update(index);
    return {};
}

Result<> SimulatedBoard::State::configure(std::size_t index, GpioOptions const& options) {
    std::lock_guard const lock(m_mutex);
    Line& line = m_lines[index];
    TRY_OK(fail_if_injected(line, GpioOperation::configure));
    apply(line, options);
    update(index);
    return {};
}

int SimulatedBoard::State::edge_descriptor(std::size_t index) const {
    std::lock_guard const lock(m_mutex);
    return m_lines[index].event.get();
}

Result<std::vector<EdgeEvent>> SimulatedBoard::State::read_edges(std::size_t index) {
    std::lock_guard const lock(m_mutex);
    settle_all();
    Line& line = m_lines[index];
    TRY_OK(fail_if_injected(line, GpioOperation::read_edges));
    std::vector<EdgeEvent> events;
    while (!line.edges.empty() && events.size() < most_edges_a_read) {
        EdgeEvent event = line.edges.front();
        line.edges.pop_front();
        event.missed = event.sequence - line.last_read_sequence - 1;
        line.last_read_sequence = event.sequence;
        events.push_back(event);
    }
    if (line.edges.empty()) {
        clear_event(line.event);
    }
    return events;
}

std::optional<MonotonicTime> SimulatedBoard::State::edges_due(std::size_t index) const {
    std::lock_guard const lock(m_mutex);
    Line const& line = m_lines[index];
    if (!line.unsettled_since) {
        return std::nullopt;
    }
    return *line.unsettled_since + line.options.debounce;
}

Result<> SimulatedBoard::State::drive(std::size_t index, std::optional<bool> level) {
    std::lock_guard const lock(m_mutex);
    Line& line = m_lines[index];
    if (level && line.end.output && line.options.drive == Drive::push_pull) {
        return failure(ErrorCode::invalid_argument,
                       "can't drive GPIO line " + to_string(line.info) +
                           " from outside: it is a push-pull output (a short circuit on real hardware)");
    }
    line.end.outside = level;
    update(index);
    return {};
}

bool SimulatedBoard::State::level(std::size_t index) {
    std::lock_guard const lock(m_mutex);
    settle_all();
    return m_lines[index].level;
}

std::vector<LevelChange> SimulatedBoard::State::history(std::size_t index) {
    std::lock_guard const lock(m_mutex);
    auto const& history = m_lines[index].history;
    return {history.begin(), history.end()};
}

Result<> SimulatedBoard::State::wire(std::size_t first, std::size_t second) {
    std::lock_guard const lock(m_mutex);
    if (first == second) {
        return failure(ErrorCode::invalid_argument,
                       "can't wire GPIO line " + to_string(m_lines[first].info) + " to itself");
    }
    for (std::size_t const index : {first, second}) {
        if (auto const other = m_lines[index].wired_to) {
            return failure(ErrorCode::exists, "GPIO line " + to_string(m_lines[index].info) +
                                                  " is wired to " + to_string(m_lines[*other].info) +
                                                  " already");
        }
    }
    m_lines[first].wired_to = second;
    m_lines[second].wired_to = first;
    update(first);
    return {};
}

void SimulatedBoard::State::inject(std::size_t index, GpioFault fault) {
    std::lock_guard const lock(m_mutex);
    m_lines[index].faults.push_back(std::move(fault));
}

void SimulatedBoard::State::settle_all() {
    MonotonicTime const now = m_clock.now();
    for (Line& line : m_lines) {
        if (line.unsettled_since && now - *line.unsettled_since >= line.options.debounce) {
            MonotonicTime const when = *line.unsettled_since + line.options.debounce;
            line.unsettled_since.reset();
            line.settled_level = line.level;
            add_edge(line, when);
        }
    }
}

void SimulatedBoard::State::update(std::size_t index) {
    settle_all();
    update_one(index);
    if (auto const other = m_lines[index].wired_to) {
        update_one(*other);
    }
}

void SimulatedBoard::State::update_one(std::size_t index) {
    Line& line = m_lines[index];
    bool const level = level_of(line.end, line.wired_to ? m_lines[*line.wired_to].end : NetEnd{});
    if (level == line.level) {
        return;
    }
    MonotonicTime const now = m_clock.now();
    line.level = level;
    line.history.push_back({level, now});
    if (line.history.size() > most_history) {
        line.history.pop_front();
    }
    if (line.options.debounce.count() > 0) {
        line.unsettled_since = level == line.settled_level ? std::nullopt : std::optional(now);
        raise_event(line.event);
        return;
    }
    line.settled_level = level;
    add_edge(line, now);
}

void SimulatedBoard::State::add_edge(Line& line, MonotonicTime when) {
    bool const value = is_active(line.options, line.settled_level);
    Edges const edges = line.options.edges;
    bool const wanted = edges == Edges::both || edges == (value ? Edges::rising : Edges::falling);
    if (!line.info.used || !wanted) {
        return;
    }
    line.edges.push_back({.value = value, .timestamp = when, .sequence = ++line.sequence, .missed = 0});
    if (line.edges.size() > line.options.event_buffer) {
        line.edges.pop_front();
    }
    raise_event(line.event);
}

} // namespace sinew::circuits
