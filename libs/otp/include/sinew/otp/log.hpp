/// Structured log events: a level, a text, fields, the place in the source and the process they come from.
///
///     sinew::log::info("the sensor answers again");
///     sinew::log::warning("too warm", {{"celsius", 81.5}, {"bus", m_options.bus}});
///     sinew::log::debug("read", reading);                    // any described struct
///
///     2026-11-22 22:10:36.123 [warning] <4.1> TemperatureReader: too warm celsius=81.5 bus=i2c-1
///
/// Where events go is a Sink's business: standard error, or a Logger (logger.hpp) with levels per module, a
/// ring buffer and handlers. A module is a source file's name without its extension ("temperature_reader").
/// Threading: any thread; a Sink's functions may be called by several at once. The functions that log don't
/// throw for lack of memory: the event is lost, the process that logs it is not. Making a text or Fields to
/// call them with is the caller's, and can.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/detail/type_table.hpp>
#include <sinew/base/value.hpp>
#include <sinew/otp/pid.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::log {

/// How much an event matters; ordered.
enum class Level : std::uint8_t {
    /// For whoever works on that module.
    debug,
    /// What a healthy program does.
    info,
    /// Healthy, but rare enough to be noticed.
    notice,
    /// Something is wrong, and the program goes on as it should.
    warning,
    /// Something failed.
    error
};

/// "debug", "info", "notice", "warning" or "error".
[[nodiscard]] std::string_view to_string(Level level) noexcept;
/// The inverse of to_string().
[[nodiscard]] std::optional<Level> parse_level(std::string_view text) noexcept;

/// One key and its value; the value is anything that sinew::encode() takes.
struct Field {
    /// `field_value` as a Value.
    template<typename T>
    Field(std::string field_key, T const& field_value)
        : key(std::move(field_key))
        , value(to_value(field_value)) {}
    /// What it is called.
    std::string key;
    /// What it is.
    Value value;

private:
    template<typename T>
    static Value to_value(T const& value) {
        if constexpr (std::is_convertible_v<T const&, std::string_view>) {
            return text(value);
        } else if constexpr (std::is_same_v<T, std::uint64_t>) {
            return number(value);
        } else {
            return detail::encode_object(*detail::table_of<T>(), &value);
        }
    }
    static Value text(std::string_view text);
    static Value number(std::uint64_t number);
};

/// The fields of an event, in order: a list in braces, or a described struct.
class Fields {
public:
    /// None.
    Fields() = default;
    /// `{{"key", value}, ...}`
    Fields(std::initializer_list<Field> fields);
    /// The members of a described struct.
    template<typename T>
        requires detail::IsDescribed<T>
    Fields(T const& object) // NOLINT(google-explicit-constructor): log::info("read", reading)
        : Fields(*detail::table_of<T>(), &object) {}
    /// What is already a list of keys and values.
    explicit Fields(Value::Object values) noexcept
        : m_values(std::move(values)) {}
    /// Keys and values, in order.
    [[nodiscard]] Value::Object const& values() const& noexcept { return m_values; }
    /// The same, given away.
    [[nodiscard]] Value::Object values() && noexcept { return std::move(m_values); }

private:
    Fields(detail::TypeTable const& type, void const* object);
    Value::Object m_values;
};

/// What happened, as a Sink gets it.
struct Event {
    /// How much it matters.
    Level level = Level::info;
    /// When; virtual in a simulation.
    WallTime time;
    /// Who; empty outside a process.
    Pid process;
    /// The process's label, else its class.
    std::string label;
    /// For people. Valid while write() runs.
    std::string_view text;
    /// For machines.
    Value::Object fields = {};
    /// The name the process is registered under, if any.
    std::string name = {};
    /// Its parent first, then that one's parent...
    std::vector<Pid> ancestors = {};
    /// Where in the source; an empty file name when unknown.
    std::source_location where = {};
    /// A report has many fields: one a line for people.
    bool is_report = false;
};

/// The module of a source file: its name without folders and extension.
[[nodiscard]] std::string_view module_of(std::string_view file_name) noexcept;

class Logger;

/// Where events go. Handed to a Node; outlives it.
class Sink {
public:
    Sink() = default;
    Sink(Sink const&) = delete;
    Sink& operator=(Sink const&) = delete;
    Sink(Sink&&) = delete;
    Sink& operator=(Sink&&) = delete;
    virtual ~Sink() = default;
    /// Whether an event of that level and module would be kept: asked before one is made.
    [[nodiscard]] virtual bool accepts(Level /*level*/, std::string_view /*module*/) const noexcept {
        return true;
    }
    /// Takes one event, from any thread.
    virtual void write(Event const& event) noexcept = 0;
    /// The Logger that this is, or that gets all of this one's events; null: there is none.
    [[nodiscard]] virtual Logger* logger() noexcept { return nullptr; }
};

/// The sink used without another: standard error, one write(2) an event, from level info on
/// (SINEW_LOG=debug|info|notice|warning|error). Blocks while standard error does.
[[nodiscard]] Sink& standard_error() noexcept;

/// Colours are terminal escapes around the level.
enum class Colours : std::uint8_t { no, yes };
/// The event for people, as standard_error() writes it, without the last line feed. A line, or for a report a
/// line and one a field.
[[nodiscard]] std::string format(Event const& event, Colours colours = Colours::no);
/// The event as one line of JSON: time (RFC 3339, UTC), level, pid, label, name, ancestors, module, file,
/// line, text, fields; what is empty is left out.
[[nodiscard]] std::string format_json_line(Event const& event);

/// Whether an event of this level, made here, would go anywhere: saves the making of a costly text.
[[nodiscard]] bool is_enabled(Level level, std::source_location where = std::source_location::current());
/// Sends an event to the current node's sink, else to standard error. So do the functions below.
void write(Level level, std::string_view text, Fields fields = {},
           std::source_location where = std::source_location::current());
/// An event with many fields. The same report from the same place about the same class is made at most
/// five times in ten seconds; the next one says how many were left out.
void report(Level level, std::string_view text, Fields fields,
            std::source_location where = std::source_location::current());
/// Level::debug
void debug(std::string_view text, Fields fields = {},
           std::source_location where = std::source_location::current());
/// Level::info
void info(std::string_view text, Fields fields = {},
          std::source_location where = std::source_location::current());
/// Level::notice
void notice(std::string_view text, Fields fields = {},
            std::source_location where = std::source_location::current());
/// Level::warning
void warning(std::string_view text, Fields fields = {},
             std::source_location where = std::source_location::current());
/// Level::error
void error(std::string_view text, Fields fields = {},
           std::source_location where = std::source_location::current());

} // namespace sinew::log
