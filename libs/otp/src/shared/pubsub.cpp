#include <sinew/base/result.hpp>
#include <sinew/otp/detail/pubsub_state.hpp>
#include <sinew/otp/process.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::detail {
namespace {

/// Takes the first level off `rest`, and the '/' after it.
std::string_view take_level(std::string_view& rest, bool& is_last) noexcept {
    std::size_t const at = rest.find('/');
    std::string_view const level = rest.substr(0, at);
    is_last = at == std::string_view::npos;
    rest = is_last ? std::string_view() : rest.substr(at + 1);
    return level;
}

} // namespace

bool is_topic_pattern(std::string_view pattern) noexcept {
    return pattern.find_first_of("+#") != std::string_view::npos;
}

Result<> check_topic(std::string_view pattern) {
    if (pattern.empty()) {
        return failure(ErrorCode::invalid_argument, "a topic can't be empty");
    }
    std::string_view rest = pattern;
    for (bool is_last = false; !is_last;) {
        std::string_view const level = take_level(rest, is_last);
        if (is_topic_pattern(level) && level.size() != 1) {
            return failure(ErrorCode::invalid_argument,
                           "topic '" + std::string(pattern) + "': a '+' or '#' must be a level of its own");
        }
        if (level == "#" && !is_last) {
            return failure(ErrorCode::invalid_argument,
                           "topic '" + std::string(pattern) + "': a '#' must be the last level");
        }
    }
    return {};
}

bool matches_topic(std::string_view pattern, std::string_view topic) noexcept {
    bool is_last_of_pattern = false;
    bool is_last_of_topic = false;
    for (;;) {
        std::string_view const wanted = take_level(pattern, is_last_of_pattern);
        if (wanted == "#") {
            return true;
        }
        if (is_last_of_topic) {
            return false;
        }
        std::string_view const level = take_level(topic, is_last_of_topic);
        if (wanted != "+" && wanted != level) {
            return false;
        }
        if (is_last_of_pattern) {
            return is_last_of_topic;
        }
    }
}

std::shared_ptr<PubSubState> PubSubState::create() {
    std::shared_ptr<PubSubState> state(new PubSubState);
    state->m_topics_of.begin(state);
    return state;
}

Result<> PubSubState::subscribe(std::string topic, Subscription subscription) {
    TRY_OK(check_topic(topic));
    if (subscription.process != self()) {
        throw std::logic_error("sinew: a process can subscribe only itself to '" + topic + "'");
    }
    std::lock_guard const lock(m_mutex);
    if (!m_topics_of.remember(subscription.process, topic)) {
        return failure(ErrorCode::unavailable, "topic '" + topic + "': the process is ending");
    }
    if (is_topic_pattern(topic)) {
        m_patterns.insert(topic, {});
        m_patterns.find(topic)->add(std::move(subscription));
        ++m_pattern_changes;
        return {};
    }
    Topic& entry = m_topics[std::move(topic)];
    entry.subscriptions.add(std::move(subscription));
    entry.list.reset();
    return {};
}

void PubSubState::unsubscribe(std::string const& topic) {
    Pid const process = self();
    if (m_topics_of.forget(process, topic)) {
        remove(topic, process);
    }
}

void PubSubState::remove(std::string const& topic, Pid process) {
    std::lock_guard const lock(m_mutex);
    if (is_topic_pattern(topic)) {
        if (MemberList<Subscription>* const subscriptions = m_patterns.find(topic)) {
            subscriptions->remove(process);
            if (subscriptions->empty()) {
                m_patterns.erase(topic);
            }
            ++m_pattern_changes;
        }
        return;
    }
    auto const at = m_topics.find(topic);
    if (at == m_topics.end()) {
        return;
    }
    at->second.subscriptions.remove(process);
    at->second.list.reset();
    if (at->second.subscriptions.empty()) {
        m_topics.erase(at);
    }
}

PubSubState::List PubSubState::match(std::string_view topic) {
    std::lock_guard const lock(m_mutex);
    auto const at = m_topics.find(topic);
    if (at == m_topics.end()) {
        return make_list(topic, {});
    }
    Topic& entry = at->second;
    if (entry.list == nullptr || entry.made_at != m_pattern_changes) {
        entry.list = make_list(topic, entry.subscriptions.entries());
        entry.made_at = m_pattern_changes;
    }
    return entry.list;
}

PubSubState::List PubSubState::make_list(std::string_view name, std::vector<Subscription> subscriptions) {
    for (auto const& [pattern, unused] : m_patterns.entries()) {
        if (matches_topic(pattern, name)) {
            std::vector<Subscription> const& more = m_patterns.find(pattern)->entries();
            subscriptions.insert(subscriptions.end(), more.begin(), more.end());
        }
    }
    return std::make_shared<std::vector<Subscription> const>(std::move(subscriptions));
}

} // namespace sinew::detail
