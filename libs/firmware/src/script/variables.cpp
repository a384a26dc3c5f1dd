/// Looks variables up.
#include "script/variables.hpp"

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::firmware {

std::optional<std::string> Variables::get(std::string_view name) const {
    if (auto const found = m_values.find(name); found != m_values.end()) {
        return found->second;
    }
    if (m_environment == Environment::used) {
        // Nothing in this library calls setenv(), which is what getenv() isn't safe against.
        if (char const* value = std::getenv(std::string(name).c_str())) { // NOLINT(concurrency-mt-unsafe)
            return value;
        }
    }
    return std::nullopt;
}

} // namespace sinew::firmware
