/// The neutral tree: its life, and look-ups on it.
#include <sinew/base/value.hpp>

#include <array>
#include <string_view>
#include <utility>

namespace sinew {

Value::Value() noexcept = default;
Value::Value(Data data) noexcept
    : m_data(std::move(data)) {}
Value::Value(Data data, int line) noexcept
    : m_data(std::move(data))
    , m_line(line) {}
Value::Value(Value const& other) = default;
Value::Value(Value&& other) noexcept = default;
Value& Value::operator=(Value const& other) = default;
Value& Value::operator=(Value&& other) noexcept = default;
Value::~Value() = default;

Value const* Value::find(std::string_view key) const noexcept {
    auto const* object = get_if<Object>();
    if (object == nullptr) {
        return nullptr;
    }
    for (auto const& [name, member] : *object) {
        if (name == key) {
            return &member;
        }
    }
    return nullptr;
}

std::string_view Value::type_name() const noexcept {
    constexpr std::array<std::string_view, 7> names = {"nothing",  "a boolean", "an integer", "a number",
                                                       "a string", "an array",  "a table"};
    return names[m_data.index()];
}

} // namespace sinew
