/// A script or meta.conf, checked against the schema: what create and apply work with.
///
/// Invariant: every option has a value of its type; titles of sections of the same name differ. Threading: a
/// value.
#pragma once

#include "script/parser.hpp"
#include "script/schema.hpp"

#include <sinew/base/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::firmware {

struct Condition;
struct Function;

/// A call of a function or a condition.
struct Call {
    /// Its name, then its arguments, as meta.conf has them.
    std::vector<std::string> words;
    Position position;
    /// Its row: one of the two, or neither if a later release added it.
    Function const* function = nullptr;
    Condition const* condition = nullptr;
};

struct Option {
    OptionSchema const* schema = nullptr;
    /// Integers in decimal, booleans as true or false.
    std::vector<std::string> values;
    Position position;
};

struct Section {
    SectionSchema const* schema = &root_schema();
    std::string title;
    Position position;
    std::vector<Option> options;
    std::vector<Section> sections;
    std::vector<Call> calls;

    [[nodiscard]] Option const* find_option(std::string_view name) const;
    /// The value of a text or boolean option, or its default.
    [[nodiscard]] std::string_view text(std::string_view name) const;
    /// The value of an integer option, or its default.
    [[nodiscard]] std::int64_t integer(std::string_view name) const;
    [[nodiscard]] bool boolean(std::string_view name) const { return text(name) == "true"; }
    /// The elements of an integer list.
    [[nodiscard]] std::vector<std::int64_t> integers(std::string_view name) const;
    void set(std::string_view name, std::vector<std::string> values);

    [[nodiscard]] Section const* find_section(std::string_view name, std::string_view title = {}) const;
    [[nodiscard]] Section* find_section(std::string_view name, std::string_view title = {});
};

/// How to take what the schema doesn't know.
enum class Unknown : std::uint8_t {
    refused, ///< Creating: it is a mistake.
    ignored, ///< Applying: a later release may have added it. Only a section with a name is refused, as the
             ///< original does. Unknown functions are found before anything runs.
};

/// Error invalid_argument: "file:line:column: ...".
[[nodiscard]] Result<Section> build_config(Script const& script, Unknown unknown);

/// A value as meta.conf has it: bare if it is a plain word, otherwise in quotes.
[[nodiscard]] std::string meta_conf_value(std::string_view text);

/// The text of meta.conf, byte for byte.
[[nodiscard]] std::string format_meta_conf(Section const& root);

} // namespace sinew::firmware
