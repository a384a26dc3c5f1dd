/// PropertyTable: what a device knows about itself, by hierarchical names (Nerves' PropertyTable, the heart
/// of VintageNet).
///
///     auto const properties = PropertyTable::create("network");
///     (void)properties.subscribe(self(), "interface/*/connection");          // handle_info(PropertyEvent)
///     properties.put("interface/eth0/connection", "internet");
///     properties.get_as<std::string>("interface/eth0/connection");
///
/// A pattern names the beginning of a property's name; a level "*" stands for any one level, and a "$" at its
/// end for the name's end: "interface/eth0" matches all of eth0, "interface/*/type/$" only the types.
/// Invariant: subscribers hear of each change once, in the order of the changes, with the value before and
/// the value after; putting an equal value changes nothing and nobody hears of it. The table outlives the
/// processes that write it. Copies are handles of the same table.
/// Threading: anywhere a node is current (its monotonic clock stamps the changes); never blocks for long.
#pragma once

#include <sinew/base/clock.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>
#include <sinew/otp/server.hpp>

#include <compare>
#include <concepts>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew {

/// The levels of a property's name. From a text they are divided by '/': "interface/eth0/type".
class PropertyName {
public:
    PropertyName() = default;
    /// From a text, divided at each '/'.
    PropertyName(std::string_view text); // NOLINT(google-explicit-constructor): a text is a name
    /// The same.
    PropertyName(char const* text) // NOLINT(google-explicit-constructor)
        : PropertyName(std::string_view(text)) {}
    PropertyName(std::string const& text) // NOLINT(google-explicit-constructor)
        : PropertyName(std::string_view(text)) {}
    /// Levels that may hold any character.
    PropertyName(std::initializer_list<std::string> levels)
        : m_levels(levels) {}
    explicit PropertyName(std::vector<std::string> levels)
        : m_levels(std::move(levels)) {}
    [[nodiscard]] std::vector<std::string> const& levels() const noexcept { return m_levels; }
    [[nodiscard]] std::string to_string() const;
    auto operator<=>(PropertyName const&) const = default;

private:
    std::vector<std::string> m_levels;
};

} // namespace sinew

/// Of all levels.
template<>
struct std::hash<sinew::PropertyName> {
    /// The same for equal names.
    std::size_t operator()(sinew::PropertyName const& name) const noexcept;
};

namespace sinew {

/// Whether `pattern` (see above) matches `name`.
[[nodiscard]] bool matches(PropertyName const& pattern, PropertyName const& name) noexcept;

/// A change of a property.
struct PropertyEvent {
    /// The table's name.
    std::string table;
    /// The property's.
    PropertyName name;
    /// Nothing: it was not there.
    std::optional<Value> old_value;
    /// Nothing: it is deleted.
    std::optional<Value> new_value;
    /// When the old value was put; zero when there was none.
    MonotonicTime old_time;
    MonotonicTime new_time;
};

/// A property and its value.
struct Property {
    /// Its name.
    PropertyName name;
    /// Its value.
    Value value;
    /// When it was put.
    MonotonicTime time;
};

/// A handle of a table; see the top of the file.
class PropertyTable {
public:
    /// An empty table; the name is told in events.
    [[nodiscard]] static PropertyTable create(std::string name);

    /// Null deletes it.
    void put(PropertyName const& name, Value value) const;
    /// Any described type, text, number...
    template<typename T>
        requires(!std::convertible_to<T, Value>)
    void put(PropertyName const& name, T const& value) const {
        if constexpr (std::convertible_to<T, std::string>) {
            put(name, Value(Value::Data(std::string(value))));
        } else {
            put(name, encode(value));
        }
    }
    /// All at one time: nobody sees some of them only, and all events have the same time.
    void put_many(std::vector<std::pair<PropertyName, Value>> properties) const;
    void erase(PropertyName const& name) const;
    void erase_matches(PropertyName const& pattern) const;

    /// The value, if it is there.
    [[nodiscard]] std::optional<Value> get(PropertyName const& name) const;
    /// As a T. Errors: not_found; invalid_argument: the value is something else.
    template<typename T>
    [[nodiscard]] Result<T> get_as(PropertyName const& name) const {
        std::optional<Value> const value = get(name);
        if (!value) {
            return failure(ErrorCode::not_found, "there is no property " + name.to_string());
        }
        return decode<T>(*value, name.to_string());
    }
    /// With the time it was put.
    [[nodiscard]] std::optional<Property> fetch(PropertyName const& name) const;
    /// Those whose names begin with `prefix`, in the order of their names.
    [[nodiscard]] std::vector<Property> get_by_prefix(PropertyName const& prefix) const;
    [[nodiscard]] std::vector<Property> match(PropertyName const& pattern) const;

    /// Sends `self`, the process whose handler runs, a PropertyEvent for each change that matches. Ends with
    /// the process. Subscribing twice means hearing twice. Error unavailable: the process is ending.
    [[nodiscard]] Result<> subscribe(Recipient<PropertyEvent> const& self, PropertyName const& pattern) const;
    /// Ends the subscriptions of the process whose handler runs to exactly that pattern.
    void unsubscribe(PropertyName const& pattern) const;

private:
    class State;
    explicit PropertyTable(std::shared_ptr<State> state) noexcept
        : m_state(std::move(state)) {}
    std::shared_ptr<State> m_state;
};

} // namespace sinew
