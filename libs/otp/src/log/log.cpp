// The functions that make events, and standard error.
#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "log/add_member.hpp"
#include "log/report.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/detail/type_table.hpp>
#include <sinew/base/value.hpp>
#include <sinew/otp/log.hpp>

#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <new>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace sinew::log {
namespace {

constexpr std::array level_names{std::string_view("debug"), std::string_view("info"),
                                 std::string_view("notice"), std::string_view("warning"),
                                 std::string_view("error")};

Level level_from_environment() noexcept {
    char const* const text = std::getenv("SINEW_LOG"); // NOLINT(concurrency-mt-unsafe): read once, never set
    return text != nullptr ? parse_level(text).value_or(Level::info) : Level::info;
}

class StandardError final : public Sink {
public:
    [[nodiscard]] bool accepts(Level level, std::string_view /*module*/) const noexcept override {
        return level >= m_level;
    }
    void write(Event const& event) noexcept override {
        if (event.level < m_level) {
            return;
        }
        try {
            std::string const line = format(event) + "\n";
            (void)!::write(STDERR_FILENO, line.data(), line.size());
        } catch (...) {
            // Out of memory: the line is lost, the process that logs it is not.
            return;
        }
    }

private:
    Level m_level = level_from_environment();
};

Sink& current_sink() noexcept {
    detail::NodeCore const* const core = detail::t_context.core;
    return core != nullptr ? core->sink : standard_error();
}

WallTime wall_now() noexcept {
    detail::NodeCore* const core = detail::t_context.core;
    return core != nullptr && core->is_simulated() ? core->virtual_clock().wall_now()
                                                   : SystemClock().wall_now();
}

/// Whether this report is one of the few that are made; then it says how many were left out.
bool admit_report(Event& event) {
    detail::NodeCore* const core = detail::t_context.core;
    if (core == nullptr) {
        return true;
    }
    std::size_t const key =
        detail::ReportLimiter::key(event.label, event.where.file_name(), event.where.line());
    std::optional<std::uint64_t> const left_out = core->reports.admit(key, core->now_ns());
    if (left_out && *left_out != 0) {
        detail::add_member(event.fields, "left_out", static_cast<std::int64_t>(*left_out));
    }
    return left_out.has_value();
}

} // namespace

Value Field::text(std::string_view text) {
    return Value(std::string(text));
}

Value Field::number(std::uint64_t number) {
    return Value(static_cast<std::int64_t>(number));
}

Fields::Fields(std::initializer_list<Field> fields) {
    m_values.reserve(fields.size());
    for (Field const& field : fields) {
        m_values.emplace_back(field.key, field.value);
    }
}

Fields::Fields(detail::TypeTable const& type, void const* object) {
    Value encoded = detail::encode_object(type, object);
    m_values = std::get<Value::Object>(std::move(encoded.data()));
}

Event make_event(Level level, std::string_view text, Fields fields, std::source_location where) {
    Event event{.level = level, .time = wall_now(), .process = {}, .label = {}, .text = text};
    event.fields = std::move(fields).values();
    event.where = where;
    detail::RuntimeScope const scope;
    detail::ensure_worker();
    if (detail::Process const* const process = detail::t_context.process) {
        event.process = process->pid();
        event.label = detail::label_of(*process);
        event.name = detail::name_of(*process);
        event.ancestors = detail::ancestors_of(*process);
    }
    return event;
}

std::string_view to_string(Level level) noexcept {
    return level_names[static_cast<std::size_t>(level) % level_names.size()];
}

std::optional<Level> parse_level(std::string_view text) noexcept {
    for (std::size_t at = 0; at < level_names.size(); ++at) {
        if (level_names[at] == text) {
            return static_cast<Level>(at);
        }
    }
    return std::nullopt;
}

std::string_view module_of(std::string_view file_name) noexcept {
    file_name.remove_prefix(file_name.rfind('/') + 1);
    return file_name.substr(0, file_name.rfind('.'));
}

Sink& standard_error() noexcept {
    static StandardError sink;
    return sink;
}

bool is_enabled(Level level, std::source_location where) {
    return current_sink().accepts(level, module_of(where.file_name()));
}

void write(Level level, std::string_view text, Fields fields, std::source_location where) {
    Sink& sink = current_sink();
    if (!sink.accepts(level, module_of(where.file_name()))) {
        return;
    }
    try {
        sink.write(make_event(level, text, std::move(fields), where));
    } catch (std::bad_alloc const&) {
        return; // The event is lost, the process that logs it is not.
    }
}

void report(Level level, std::string_view text, Fields fields, std::source_location where) {
    Sink& sink = current_sink();
    if (!sink.accepts(level, module_of(where.file_name()))) {
        return;
    }
    try {
        Event event = make_event(level, text, std::move(fields), where);
        event.is_report = true;
        if (admit_report(event)) {
            sink.write(event);
        }
    } catch (std::bad_alloc const&) {
        return; // As above.
    }
}

void debug(std::string_view text, Fields fields, std::source_location where) {
    write(Level::debug, text, std::move(fields), where);
}

void info(std::string_view text, Fields fields, std::source_location where) {
    write(Level::info, text, std::move(fields), where);
}

void notice(std::string_view text, Fields fields, std::source_location where) {
    write(Level::notice, text, std::move(fields), where);
}

void warning(std::string_view text, Fields fields, std::source_location where) {
    write(Level::warning, text, std::move(fields), where);
}

void error(std::string_view text, Fields fields, std::source_location where) {
    write(Level::error, text, std::move(fields), where);
}

} // namespace sinew::log
