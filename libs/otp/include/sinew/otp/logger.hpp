/// Logger: the sink of a real application: levels per module that change at run time, a ring buffer of what
/// happened last, and handlers that are processes.
///
///     sinew::log::Logger logger;
///     sinew::Node node({.log = &logger});
///     auto handler = node.start<sinew::log::Handler>(
///         {}, sinew::log::HandlerOptions{.logger = &logger, .output = sinew::log::human_output(2)});
///     logger.apply("warning,led=debug").value();      // everything from warning on, the module led in full
///     for (auto const& record : logger.ring().tail(20)) { ... }
///
/// Invariant: write() never blocks on an output and never fails its caller; what a handler can't keep up with
/// is dropped and counted. While no handler is attached, events go to the fallback, so that nothing is lost
/// before the first handler starts and after the last one ends. Threading: any thread.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/log.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::log {

/// An event that owns its text (its first 16 KiB). Immutable and shared.
class Record {
public:
    /// Copies `event`.
    explicit Record(Event const& event);
    Record(Record const&) = delete;
    Record& operator=(Record const&) = delete;
    Record(Record&&) = delete;
    Record& operator=(Record&&) = delete;
    ~Record() = default;
    /// The event; valid as long as the record.
    [[nodiscard]] Event const& event() const noexcept { return m_event; }

private:
    std::string m_text;
    Event m_event;
};
/// How records are passed around.
using RecordPointer = std::shared_ptr<Record const>;

/// The newest events, in memory: the oldest goes when it is full. Threading: any thread.
class Ring {
public:
    /// Keeps `capacity` events.
    explicit Ring(std::size_t capacity)
        : m_capacity(capacity) {}
    /// Adds the newest.
    void append(RecordPointer record);
    /// The newest `count`, oldest of them first.
    [[nodiscard]] std::vector<RecordPointer> tail(std::size_t count) const;
    /// Those whose formatted text (see format()) holds `text`, oldest first, the newest `count` of them.
    [[nodiscard]] std::vector<RecordPointer> grep(std::string_view text, std::size_t count) const;
    /// Writes all of it to a file, one format()ted event after the other; replaces the file as a whole. Blocks.
    [[nodiscard]] Result<> save(std::filesystem::path const& path) const;
    /// How many it holds.
    [[nodiscard]] std::size_t size() const;

private:
    mutable std::mutex m_mutex;
    std::size_t m_capacity;
    std::deque<RecordPointer> m_records;
};

class Channel;

/// What a Logger is made with.
struct LoggerOptions {
    /// The least level of modules without one of their own.
    Level level = Level::info;
    /// Events kept in memory.
    std::size_t ring_capacity = 1024;
    /// Gets events while no handler is attached; null: nobody does.
    Sink* fallback = &standard_error();
};

/// See the top of the file.
class Logger final : public Sink {
public:
    /// A Logger without handlers.
    explicit Logger(LoggerOptions options = {});
    ~Logger() override;
    Logger(Logger const&) = delete;
    Logger& operator=(Logger const&) = delete;
    Logger(Logger&&) = delete;
    Logger& operator=(Logger&&) = delete;

    /// The least level of modules without one of their own.
    void set_level(Level level);
    /// The least level of one module.
    void set_module_level(std::string module, Level level);
    /// The module follows set_level() again.
    void reset_module_level(std::string_view module);
    /// "info", "led=debug", or several with commas between: levels from a command line or an environment
    /// variable. Error invalid_argument: no such level; nothing is changed then.
    [[nodiscard]] Result<> apply(std::string_view levels);
    /// The levels as apply() reads them.
    [[nodiscard]] std::string levels() const;

    [[nodiscard]] bool accepts(Level level, std::string_view module) const noexcept override;
    void write(Event const& event) noexcept override;
    [[nodiscard]] Logger* logger() noexcept override { return this; }

    /// What happened last.
    [[nodiscard]] Ring const& ring() const noexcept { return m_ring; }
    /// Events that handlers could not keep up with, so far.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return m_dropped.load(std::memory_order_relaxed); }

    /// For handlers: from now on `channel` gets every event.
    void attach(std::shared_ptr<Channel> channel);
    /// Not any longer.
    void detach(Channel const& channel) noexcept;

private:
    void update_least();
    void offer(RecordPointer const& record);

    Sink* m_fallback;
    Ring m_ring;
    std::atomic<std::uint64_t> m_dropped{0};
    /// The lowest of all levels: most events end here.
    std::atomic<Level> m_least;
    mutable std::shared_mutex m_levels_mutex;
    Level m_level;
    std::map<std::string, Level, std::less<>> m_module_levels;
    mutable std::shared_mutex m_channels_mutex;
    std::vector<std::shared_ptr<Channel>> m_channels;
};

/// The Logger of the current node: in an application the program's, also in Application::start(); in a
/// Simulation one that gets what is logged from the first call on. Null: there is no node, or it logs to
/// another Sink.
[[nodiscard]] Logger* current_logger() noexcept;

} // namespace sinew::log
