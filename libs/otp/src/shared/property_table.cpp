#include <sinew/base/clock.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>
#include <sinew/otp/detail/flat_table.hpp>
#include <sinew/otp/detail/member_list.hpp>
#include <sinew/otp/detail/registry_keys.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/property_table.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sinew {
namespace {

bool is_same(Value const& a, Value const& b);

bool is_same_data(Value::Array const& a, Value::Array const& b) {
    return std::ranges::equal(a, b, &is_same);
}
bool is_same_data(Value::Object const& a, Value::Object const& b) {
    return std::ranges::equal(a, b, [](auto const& left, auto const& right) {
        return left.first == right.first && is_same(left.second, right.second);
    });
}
template<typename T>
bool is_same_data(T const& a, T const& b) {
    return a == b;
}

/// The same content, whatever the text it came from.
bool is_same(Value const& a, Value const& b) {
    return a.data().index() == b.data().index() &&
           std::visit(
               [&b]<typename T>(T const& content) { return is_same_data(content, std::get<T>(b.data())); },
               a.data());
}

} // namespace

PropertyName::PropertyName(std::string_view text) {
    while (!text.empty()) {
        std::size_t const at = text.find('/');
        m_levels.emplace_back(text.substr(0, at));
        text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
    }
}

std::string PropertyName::to_string() const {
    std::string result;
    for (std::string const& level : m_levels) {
        result += (result.empty() ? "" : "/") + level;
    }
    return result;
}

bool matches(PropertyName const& pattern, PropertyName const& name) noexcept {
    std::size_t const count = pattern.levels().size();
    bool const is_exact = count != 0 && pattern.levels().back() == "$";
    std::size_t const compared = is_exact ? count - 1 : count;
    if (is_exact ? name.levels().size() != compared : name.levels().size() < compared) {
        return false;
    }
    for (std::size_t at = 0; at < compared; ++at) {
        if (pattern.levels()[at] != "*" && pattern.levels()[at] != name.levels()[at]) {
            return false;
        }
    }
    return true;
}

class PropertyTable::State final : public detail::RegistryKeys<PropertyName>::Entries {
public:
    struct Entry {
        Value value;
        MonotonicTime time;
    };
    struct Subscription {
        Pid process;
        Recipient<PropertyEvent> subscriber;
    };
    explicit State(std::string table_name)
        : name(std::move(table_name))
        , patterns_of("property table") {}

    /// Under the lock; also sends the events, so that they keep the order of the changes.
    void change(PropertyName const& property, Value value, MonotonicTime time) {
        auto const at = properties.find(property);
        bool const is_deleted = std::holds_alternative<std::monostate>(value.data());
        if (at == properties.end() ? is_deleted : !is_deleted && is_same(at->second.value, value)) {
            return;
        }
        PropertyEvent event{.table = name,
                            .name = property,
                            .old_value = {},
                            .new_value = {},
                            .old_time = {},
                            .new_time = time};
        if (at != properties.end()) {
            event.old_value = std::move(at->second.value);
            event.old_time = at->second.time;
        }
        if (is_deleted) {
            properties.erase(at);
        } else {
            event.new_value = value;
            properties.insert_or_assign(property, Entry{std::move(value), time});
        }
        for (auto const& [pattern, unused] : subscriptions.entries()) {
            if (matches(pattern, property)) {
                for (Subscription const& subscription : subscriptions.find(pattern)->entries()) {
                    subscription.subscriber.send(event);
                }
            }
        }
    }
    /// Calls function(name, entry) for each that begins with the levels of `pattern` before its first
    /// wildcard.
    template<typename F>
    void for_each_candidate(PropertyName const& pattern, F function) const {
        std::vector<std::string> prefix;
        for (std::string const& level : pattern.levels()) {
            if (level == "*" || level == "$") {
                break;
            }
            prefix.push_back(level);
        }
        PropertyName const first(std::move(prefix));
        for (auto at = properties.lower_bound(first); at != properties.end() && matches(first, at->first);
             ++at) {
            function(at->first, at->second);
        }
    }
    void remove(PropertyName const& pattern, Pid process) override {
        std::lock_guard const lock(mutex);
        if (detail::MemberList<Subscription>* const members = subscriptions.find(pattern)) {
            members->remove(process);
            if (members->empty()) {
                subscriptions.erase(pattern);
            }
        }
    }

    std::string const name;
    detail::RegistryKeys<PropertyName> patterns_of;
    mutable std::shared_mutex mutex;
    std::map<PropertyName, Entry> properties;
    detail::FlatTable<PropertyName, detail::MemberList<Subscription>> subscriptions;
};

} // namespace sinew

std::size_t std::hash<sinew::PropertyName>::operator()(sinew::PropertyName const& name) const noexcept {
    std::size_t sum = 0;
    for (std::string const& level : name.levels()) {
        sum = sum * 31 + std::hash<std::string>{}(level);
    }
    return sum;
}

namespace sinew {

PropertyTable PropertyTable::create(std::string name) {
    auto state = std::make_shared<State>(std::move(name));
    state->patterns_of.begin(state);
    return PropertyTable(std::move(state));
}

void PropertyTable::put(PropertyName const& name, Value value) const {
    std::lock_guard const lock(m_state->mutex);
    m_state->change(name, std::move(value), now());
}

void PropertyTable::put_many(std::vector<std::pair<PropertyName, Value>> properties) const {
    std::lock_guard const lock(m_state->mutex);
    MonotonicTime const time = now();
    for (auto& [name, value] : properties) {
        m_state->change(name, std::move(value), time);
    }
}

void PropertyTable::erase(PropertyName const& name) const {
    put(name, Value());
}

void PropertyTable::erase_matches(PropertyName const& pattern) const {
    std::lock_guard const lock(m_state->mutex);
    std::vector<PropertyName> names;
    m_state->for_each_candidate(pattern, [&](PropertyName const& name, State::Entry const& /*entry*/) {
        if (matches(pattern, name)) {
            names.push_back(name);
        }
    });
    MonotonicTime const time = now();
    for (PropertyName const& name : names) {
        m_state->change(name, Value(), time);
    }
}

std::optional<Value> PropertyTable::get(PropertyName const& name) const {
    std::shared_lock const lock(m_state->mutex);
    auto const at = m_state->properties.find(name);
    return at != m_state->properties.end() ? std::optional(at->second.value) : std::nullopt;
}

std::optional<Property> PropertyTable::fetch(PropertyName const& name) const {
    std::shared_lock const lock(m_state->mutex);
    auto const at = m_state->properties.find(name);
    return at != m_state->properties.end() ? std::optional(Property{name, at->second.value, at->second.time})
                                           : std::nullopt;
}

std::vector<Property> PropertyTable::get_by_prefix(PropertyName const& prefix) const {
    std::shared_lock const lock(m_state->mutex);
    std::vector<Property> result;
    auto const begins_with_prefix = [&prefix](PropertyName const& name) {
        return name.levels().size() >= prefix.levels().size() &&
               std::ranges::equal(prefix.levels(), name.levels() | std::views::take(prefix.levels().size()));
    };
    for (auto at = m_state->properties.lower_bound(prefix);
         at != m_state->properties.end() && begins_with_prefix(at->first); ++at) {
        result.push_back({at->first, at->second.value, at->second.time});
    }
    return result;
}

std::vector<Property> PropertyTable::match(PropertyName const& pattern) const {
    std::shared_lock const lock(m_state->mutex);
    std::vector<Property> result;
    m_state->for_each_candidate(pattern, [&](PropertyName const& name, State::Entry const& entry) {
        if (matches(pattern, name)) {
            result.push_back({name, entry.value, entry.time});
        }
    });
    return result;
}

Result<> PropertyTable::subscribe(Recipient<PropertyEvent> const& self, PropertyName const& pattern) const {
    if (self.pid() != sinew::self()) {
        throw std::logic_error("sinew: a process can subscribe only itself to " + pattern.to_string());
    }
    std::lock_guard const lock(m_state->mutex);
    if (!m_state->patterns_of.remember(self.pid(), pattern)) {
        return failure(ErrorCode::unavailable,
                       "properties " + pattern.to_string() + ": the process is ending");
    }
    m_state->subscriptions.insert(pattern, {});
    m_state->subscriptions.find(pattern)->add({self.pid(), self});
    return {};
}

void PropertyTable::unsubscribe(PropertyName const& pattern) const {
    if (m_state->patterns_of.forget(self(), pattern)) {
        m_state->remove(pattern, self());
    }
}

} // namespace sinew
