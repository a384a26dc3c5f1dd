#include "core/context.hpp"
#include "core/node_core.hpp"
#include "log/channel.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/logger.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::log {
namespace {

constexpr std::size_t text_limit = 16384;

/// The levels in "info,led=debug"; an empty module means all others.
Result<std::map<std::string, Level>> parse_levels(std::string_view text) {
    std::map<std::string, Level> levels;
    while (!text.empty()) {
        std::size_t const comma = std::min(text.find(','), text.size());
        std::string_view const part = text.substr(0, comma);
        text.remove_prefix(std::min(comma + 1, text.size()));
        std::size_t const equals = part.find('=');
        std::string_view const name = equals == std::string_view::npos ? part : part.substr(equals + 1);
        std::optional<Level> const level = parse_level(name);
        if (!level || equals == 0) {
            return failure(ErrorCode::invalid_argument,
                           "'" + std::string(part) +
                               "' is no log level: write LEVEL or MODULE=LEVEL, with debug, info, notice, "
                               "warning or error");
        }
        levels[equals == std::string_view::npos ? std::string() : std::string(part.substr(0, equals))] =
            *level;
    }
    return levels;
}

} // namespace

Record::Record(Event const& event)
    : m_text(event.text.substr(0, text_limit))
    , m_event(event) {
    m_event.text = m_text;
}

void Ring::append(RecordPointer record) {
    if (m_capacity == 0) {
        return;
    }
    RecordPointer oldest; // Freed after the lock is.
    std::lock_guard const lock(m_mutex);
    if (m_records.size() == m_capacity) {
        oldest = std::move(m_records.front());
        m_records.pop_front();
    }
    m_records.push_back(std::move(record));
}

std::vector<RecordPointer> Ring::tail(std::size_t count) const {
    std::lock_guard const lock(m_mutex);
    auto const first = m_records.end() - static_cast<std::ptrdiff_t>(std::min(count, m_records.size()));
    return {first, m_records.end()};
}

std::vector<RecordPointer> Ring::grep(std::string_view text, std::size_t count) const {
    std::vector<RecordPointer> found;
    for (RecordPointer& record : tail(m_capacity)) {
        if (format(record->event()).find(text) != std::string::npos) {
            found.push_back(std::move(record));
        }
    }
    found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(std::min(count, found.size())));
    return found;
}

Result<> Ring::save(std::filesystem::path const& path) const {
    std::string text;
    for (RecordPointer const& record : tail(m_capacity)) {
        text += format(record->event()) + "\n";
    }
    return write_file_atomically(path, as_bytes(text));
}

std::size_t Ring::size() const {
    std::lock_guard const lock(m_mutex);
    return m_records.size();
}

Logger::Logger(LoggerOptions options)
    : m_fallback(options.fallback)
    , m_ring(options.ring_capacity)
    , m_least(options.level)
    , m_level(options.level) {}

Logger::~Logger() = default;

void Logger::update_least() {
    Level least = m_level;
    for (auto const& [module, level] : m_module_levels) {
        least = std::min(least, level);
    }
    m_least.store(least, std::memory_order_relaxed);
}

void Logger::set_level(Level level) {
    std::unique_lock const lock(m_levels_mutex);
    m_level = level;
    update_least();
}

void Logger::set_module_level(std::string module, Level level) {
    std::unique_lock const lock(m_levels_mutex);
    m_module_levels[std::move(module)] = level;
    update_least();
}

void Logger::reset_module_level(std::string_view module) {
    std::unique_lock const lock(m_levels_mutex);
    if (auto const found = m_module_levels.find(module); found != m_module_levels.end()) {
        m_module_levels.erase(found);
    }
    update_least();
}

Result<> Logger::apply(std::string_view levels) {
    TRY(auto const parsed, parse_levels(levels));
    std::unique_lock const lock(m_levels_mutex);
    for (auto const& [module, level] : parsed) {
        (module.empty() ? m_level : m_module_levels[module]) = level;
    }
    update_least();
    return {};
}

std::string Logger::levels() const {
    std::shared_lock const lock(m_levels_mutex);
    std::string text(to_string(m_level));
    for (auto const& [module, level] : m_module_levels) {
        text += "," + module + "=" + std::string(to_string(level));
    }
    return text;
}

bool Logger::accepts(Level level, std::string_view module) const noexcept {
    if (level < m_least.load(std::memory_order_relaxed)) {
        return false;
    }
    std::shared_lock const lock(m_levels_mutex);
    auto const found = m_module_levels.find(module);
    return level >= (found != m_module_levels.end() ? found->second : m_level);
}

void Logger::write(Event const& event) noexcept {
    try {
        auto const record = std::make_shared<Record const>(event);
        m_ring.append(record);
        offer(record);
    } catch (...) {
        m_dropped.fetch_add(1, std::memory_order_relaxed);
    }
}

void Logger::offer(RecordPointer const& record) {
    std::shared_lock const lock(m_channels_mutex);
    for (auto const& channel : m_channels) {
        if (!channel->offer(record)) {
            m_dropped.fetch_add(1, std::memory_order_relaxed);
        }
    }
    if (m_channels.empty() && m_fallback != nullptr) {
        m_fallback->write(record->event());
    }
}

void Logger::attach(std::shared_ptr<Channel> channel) {
    std::unique_lock const lock(m_channels_mutex);
    m_channels.push_back(std::move(channel));
}

void Logger::detach(Channel const& channel) noexcept {
    std::unique_lock const lock(m_channels_mutex);
    std::erase_if(m_channels, [&channel](auto const& one) { return one.get() == &channel; });
}

Logger* current_logger() noexcept {
    detail::NodeCore const* const core = detail::t_context.core;
    return core != nullptr ? core->sink.logger() : nullptr;
}

} // namespace sinew::log
