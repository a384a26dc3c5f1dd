/// Which sections and options the language has, their types and defaults, and the fixed order of meta.conf.
///
/// One table serves the reader of scripts, the reader of meta.conf and its writer, so they can't drift.
/// Invariant: options are listed in the order in which meta.conf has them; the bytes of meta.conf decide the
/// UUID. Threading: constants.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sinew::firmware {

enum class OptionType : std::uint8_t { text, integer, boolean, integer_list };

/// Some options only tell create what to do.
enum class InMetaConf : std::uint8_t { yes, no };

struct OptionSchema {
    std::string_view name;
    OptionType type = OptionType::text;
    /// An option with this value isn't written.
    std::string_view default_value;
    InMetaConf in_meta_conf = InMetaConf::yes;
};

/// What the calls inside a section are.
enum class CallKind : std::uint8_t { none, conditions, functions };

struct SectionSchema {
    std::string_view name;
    bool is_titled = false;
    std::span<OptionSchema const> options;
    std::span<SectionSchema const> sections;
    CallKind calls = CallKind::none;

    [[nodiscard]] OptionSchema const* find_option(std::string_view option) const;
    [[nodiscard]] SectionSchema const* find_section(std::string_view section) const;
};

/// The top level.
[[nodiscard]] SectionSchema const& root_schema();

} // namespace sinew::firmware
