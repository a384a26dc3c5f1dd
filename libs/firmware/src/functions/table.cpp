/// The families together, and what is checked of every call.
#include "functions/table.hpp"

#include "functions/arguments.hpp"
#include "functions/conditions.hpp"
#include "functions/function.hpp"
#include "script/number.hpp"

#include <sinew/base/result.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sinew::firmware {

namespace {

std::string_view name_of(Words words) {
    return words.empty() ? std::string_view() : std::string_view(words[0]).substr(0, 60);
}

std::string count_text(unsigned fewest, unsigned most) {
    auto const least = std::to_string(fewest);
    return (fewest == most ? least : least + " to " + std::to_string(most)) +
           (most == 1 ? " argument" : " arguments");
}

Result<> check_arguments(Form const& form, Words words, Deferred deferred) {
    auto const count = words.size() - 1;
    if (count < form.fewest_arguments || count > form.most_arguments) {
        return failure(ErrorCode::invalid_argument,
                       std::string(form.name) + "() takes " +
                           count_text(form.fewest_arguments, form.most_arguments) + ", not " +
                           std::to_string(count));
    }
    for (std::size_t i = 1; i < std::min<std::size_t>(words.size(), 8); ++i) {
        bool const is_number =
            parse_number(words[i]) || (deferred == Deferred::allowed && words[i].contains("${"));
        if ((form.numbers & (1u << i)) != 0 && !is_number) {
            return failure(ErrorCode::invalid_argument, std::string(form.name) + "(): argument " +
                                                            std::to_string(i) + " must be a number, not '" +
                                                            words[i].substr(0, 60) + "'");
        }
    }
    return form.check == nullptr ? Result<>{} : form.check(words, deferred);
}

} // namespace

Function const* find_function(std::string_view name) {
    for (auto const family : std::array{raw_functions(), fat_functions(), partition_table_functions(),
                                        environment_functions(), message_functions(), outside_functions()}) {
        for (auto const& row : family) {
            if (row.form.name == name) {
                return &row;
            }
        }
    }
    return nullptr;
}

Condition const* find_condition(std::string_view name) {
    for (auto const& row : conditions()) {
        if (row.form.name == name) {
            return &row;
        }
    }
    return nullptr;
}

Result<> check_function(Function const* function, Words words, std::string_view section, Deferred deferred) {
    if (function == nullptr) {
        return failure(ErrorCode::invalid_argument, "unknown function '" + std::string(name_of(words)) + "'");
    }
    if (function->has(Trait::writes_resource) && section != "on-resource") {
        return failure(ErrorCode::invalid_argument, std::string(function->form.name) +
                                                        "() writes a resource and so belongs in an "
                                                        "on-resource section, not in " +
                                                        std::string(section));
    }
    return check_arguments(function->form, words, deferred);
}

Result<> check_condition(Condition const* condition, Words words, Deferred deferred) {
    if (condition == nullptr) {
        return failure(ErrorCode::invalid_argument,
                       "unknown condition '" + std::string(name_of(words)) + "'");
    }
    return check_arguments(condition->form, words, deferred);
}

} // namespace sinew::firmware
