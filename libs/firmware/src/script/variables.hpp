/// The variables of a script: those handed in, those the script defines, and, if allowed, the process
/// environment.
///
/// Invariant: the process environment itself is never changed. Threading: belongs to one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

class Variables {
public:
    enum class Environment : unsigned char { used, ignored };

    Variables() = default;
    Variables(std::map<std::string, std::string> const& values, Environment environment)
        : m_values(values.begin(), values.end())
        , m_environment(environment) {}

    [[nodiscard]] std::optional<std::string> get(std::string_view name) const;
    void set(std::string name, std::string value) {
        m_values.insert_or_assign(std::move(name), std::move(value));
    }

private:
    std::map<std::string, std::string, std::less<>> m_values;
    Environment m_environment = Environment::ignored;
};

} // namespace sinew::firmware
