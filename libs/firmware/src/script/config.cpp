/// Checks statements against the schema.
#include "script/config.hpp"

#include "functions/function.hpp"
#include "functions/table.hpp"
#include "script/number.hpp"
#include "script/parser.hpp"
#include "script/schema.hpp"

#include <sinew/base/result.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::firmware {

namespace {

std::optional<std::string> canonical_integer(std::string_view text) {
    bool const is_negative = text.starts_with('-');
    auto const value = parse_number(is_negative ? text.substr(1) : text);
    if (!value || *value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return std::nullopt;
    }
    return (is_negative && *value != 0 ? "-" : "") + std::to_string(*value);
}

std::optional<std::string> canonical_boolean(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    });
    if (lower == "true" || lower == "yes" || lower == "on") {
        return "true";
    }
    if (lower == "false" || lower == "no" || lower == "off") {
        return "false";
    }
    return std::nullopt;
}

std::int64_t to_integer(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

class Builder {
public:
    Builder(Script const& script, Unknown unknown)
        : m_script(script)
        , m_unknown(unknown) {}

    Result<> fill(Section& section, std::vector<Statement> const& statements) {
        for (auto const& statement : statements) {
            switch (statement.kind) {
            case StatementKind::assign:
            case StatementKind::append:
                TRY_OK(add_option(section, statement));
                break;
            case StatementKind::call:
                TRY_OK(add_call(section, statement));
                break;
            case StatementKind::section:
                TRY_OK(add_section(section, statement));
                break;
            }
        }
        return {};
    }

private:
    [[nodiscard]] Result<> unknown(Section const& section, Statement const& statement,
                                   std::string const& what) const {
        if (m_unknown == Unknown::ignored) {
            return {};
        }
        auto const where = section.schema->name.empty() ? std::string("at the top level")
                                                        : "in '" + std::string(section.schema->name) + "'";
        return m_script.fail(statement.position, "unknown " + what + " '" + statement.name + "' " + where);
    }

    Result<> add_option(Section& section, Statement const& statement) const {
        if ((statement.name == "funlist" && section.schema->calls == CallKind::functions) ||
            (statement.name == "reqlist" && section.schema->calls == CallKind::conditions)) {
            return add_flat_calls(section, statement);
        }
        auto const* const schema = section.schema->find_option(statement.name);
        if (schema == nullptr) {
            return unknown(section, statement, "option");
        }
        bool const is_list = schema->type == OptionType::integer_list;
        if (!is_list && (statement.is_list || statement.kind == StatementKind::append)) {
            return m_script.fail(statement.position, "'" + statement.name + "' takes one value, not a list");
        }
        std::vector<std::string> values;
        for (auto const& value : statement.values) {
            TRY(auto converted, convert(*schema, value, statement));
            values.push_back(std::move(converted));
        }
        if (statement.kind == StatementKind::append) {
            if (auto const* const before = section.find_option(statement.name)) {
                values.insert(values.begin(), before->values.begin(), before->values.end());
            }
        }
        section.set(statement.name, std::move(values));
        std::ranges::find(section.options, schema, &Option::schema)->position = statement.position;
        return {};
    }

    [[nodiscard]] Result<std::string> convert(OptionSchema const& schema, std::string const& value,
                                              Statement const& statement) const {
        if (schema.type == OptionType::text) {
            return value;
        }
        bool const is_boolean = schema.type == OptionType::boolean;
        auto converted = is_boolean ? canonical_boolean(value) : canonical_integer(value);
        if (!converted) {
            return m_script.fail(statement.position, "'" + statement.name + "' must be " +
                                                         (is_boolean ? "true or false" : "an integer") +
                                                         ", not '" + value.substr(0, 60) + "'");
        }
        return *std::move(converted);
    }

    /// funlist and reqlist: count, name, arguments..., again and again.
    Result<> add_flat_calls(Section& section, Statement const& statement) const {
        auto const& words = statement.values;
        for (std::size_t at = 0; at < words.size();) {
            auto const count = parse_number(words[at]).value_or(0);
            if (count < 1 || count > 10 || count > words.size() - at - 1) {
                return m_script.fail(statement.position, "'" + statement.name + "' has a wrong count in it");
            }
            auto const begin = words.begin() + static_cast<std::ptrdiff_t>(at) + 1;
            TRY_OK(append_call(section, {begin, begin + static_cast<std::ptrdiff_t>(count)},
                               statement.position, m_unknown));
            at += count + 1;
        }
        return {};
    }

    Result<> add_call(Section& section, Statement const& statement) const {
        if (section.schema->calls == CallKind::none) {
            return unknown(section, statement, "function");
        }
        std::vector<std::string> words{statement.name};
        words.insert(words.end(), statement.values.begin(), statement.values.end());
        return append_call(section, std::move(words), statement.position, Unknown::refused);
    }

    /// Finds the row of a function or condition, and completes what a script may leave out. Only if the
    /// unknown is refused, the arguments are checked too.
    [[nodiscard]] Result<> append_call(Section& section, std::vector<std::string> words,
                                       Position const& position, Unknown unknown) const {
        Call call{std::move(words), position};
        bool const is_condition = section.schema->calls == CallKind::conditions;
        if (is_condition) {
            call.condition = find_condition(call.words[0]);
        } else {
            call.function = find_function(call.words[0]);
        }
        if (unknown == Unknown::refused) {
            auto const checked = is_condition ? check_condition(call.condition, call.words, Deferred::allowed)
                                              : check_function(call.function, call.words,
                                                               section.schema->name, Deferred::allowed);
            if (!checked) {
                return m_script.fail(position, checked.error().message());
            }
        }
        if (call.function != nullptr && call.function->has(Trait::named_like_resource) &&
            call.words.size() == call.function->form.most_arguments) {
            call.words.push_back(section.title);
        }
        section.calls.push_back(std::move(call));
        return {};
    }

    Result<> add_section(Section& section, Statement const& statement) {
        auto const* const schema = section.schema->find_section(statement.name);
        if (schema == nullptr) {
            if (m_unknown == Unknown::ignored && statement.title) {
                return m_script.fail(statement.position,
                                     "unknown section '" + statement.name +
                                         "'; the archive was made for a later release, update this program");
            }
            return unknown(section, statement, "section");
        }
        if (schema->is_titled != statement.title.has_value()) {
            return m_script.fail(statement.position,
                                 "section '" + statement.name +
                                     (schema->is_titled
                                          ? "' needs a name: " + statement.name + " NAME { ... }"
                                          : std::string("' takes no name")));
        }
        auto const title = statement.title.value_or("");
        auto* const before = section.find_section(statement.name, title);
        if (before != nullptr && schema->is_titled) {
            return m_script.fail(statement.position, statement.name + " '" + title +
                                                         "' was already defined at line " +
                                                         std::to_string(before->position.line));
        }
        if (before != nullptr) {
            return fill(*before, statement.body);
        }
        Section child;
        child.schema = schema;
        child.title = title;
        child.position = statement.position;
        TRY_OK(fill(child, statement.body));
        section.sections.push_back(std::move(child));
        return {};
    }

    Script const& m_script;
    Unknown m_unknown;
};

} // namespace

Option const* Section::find_option(std::string_view name) const {
    auto const found =
        std::ranges::find_if(options, [&](Option const& option) { return option.schema->name == name; });
    return found == options.end() ? nullptr : &*found;
}

std::string_view Section::text(std::string_view name) const {
    auto const* const option = find_option(name);
    if (option != nullptr && !option->values.empty()) {
        return option->values.front();
    }
    auto const* const known = schema->find_option(name);
    return known == nullptr ? std::string_view() : known->default_value;
}

std::int64_t Section::integer(std::string_view name) const {
    return to_integer(text(name));
}

std::vector<std::int64_t> Section::integers(std::string_view name) const {
    std::vector<std::int64_t> values;
    if (auto const* const option = find_option(name)) {
        std::ranges::transform(option->values, std::back_inserter(values), to_integer);
    }
    return values;
}

void Section::set(std::string_view name, std::vector<std::string> values) {
    for (auto& option : options) {
        if (option.schema->name == name) {
            option.values = std::move(values);
            return;
        }
    }
    if (auto const* const known = schema->find_option(name)) {
        options.push_back({known, std::move(values), position});
    }
}

Section const* Section::find_section(std::string_view name, std::string_view wanted_title) const {
    auto const found = std::ranges::find_if(sections, [&](Section const& section) {
        return section.schema->name == name && section.title == wanted_title;
    });
    return found == sections.end() ? nullptr : &*found;
}

Section* Section::find_section(std::string_view name, std::string_view wanted_title) {
    return const_cast<Section*>(std::as_const(*this).find_section(name, wanted_title));
}

Result<Section> build_config(Script const& script, Unknown unknown) {
    Section root;
    TRY_OK(Builder(script, unknown).fill(root, script.statements));
    return root;
}

} // namespace sinew::firmware
