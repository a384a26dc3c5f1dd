/// Look-ups on the neutral tree.
#include <sinew/base/value.hpp>

#include <array>
#include <string_view>

namespace sinew {

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
