#include "script/schema.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace sinew::firmware {

namespace {

using enum OptionType;
using enum InMetaConf;

constexpr std::array file_resource_options{
    OptionSchema{"host-path", text, "", no},
    OptionSchema{"contents", text, "", no},
    OptionSchema{"skip-holes", boolean, "false", no},
    OptionSchema{"assert-size-lte", integer, "-1", no},
    OptionSchema{"assert-size-gte", integer, "-1", no},
    OptionSchema{"length", integer_list, ""},
    OptionSchema{"blake2b-256", text, ""},
};
// Offsets of partitions are texts, as in the original: 0x100 stays 0x100.
constexpr std::array mbr_partition_options{
    OptionSchema{"block-offset", text, ""},   OptionSchema{"block-count", integer, "2147483647"},
    OptionSchema{"type", integer, "-1"},      OptionSchema{"boot", boolean, "false"},
    OptionSchema{"expand", boolean, "false"},
};
constexpr std::array osii_options{
    OptionSchema{"os-major", integer, "0"},           OptionSchema{"os-minor", integer, "0"},
    OptionSchema{"start-block-offset", integer, "0"}, OptionSchema{"ddr-load-address", integer, "0"},
    OptionSchema{"entry-point", integer, "0"},        OptionSchema{"image-size-blocks", integer, "0"},
    OptionSchema{"attribute", integer, "15"},
};
constexpr std::array mbr_options{
    OptionSchema{"bootstrap-code-host-path", text, "", no},
    OptionSchema{"bootstrap-code", text, ""},
    OptionSchema{"include-osip", boolean, "false"},
    OptionSchema{"osip-major", integer, "1"},
    OptionSchema{"osip-minor", integer, "0"},
    OptionSchema{"osip-num-pointers", integer, "1"},
    OptionSchema{"signature", text, ""},
};
constexpr std::array mbr_sections{
    SectionSchema{"partition", true, mbr_partition_options, {}, CallKind::none},
    SectionSchema{"osii", true, osii_options, {}, CallKind::none},
};
constexpr std::array gpt_partition_options{
    OptionSchema{"block-offset", text, ""},
    OptionSchema{"block-count", integer, "2147483647"},
    OptionSchema{"type", text, ""},
    OptionSchema{"guid", text, ""},
    OptionSchema{"name", text, ""},
    OptionSchema{"flags", text, ""},
    OptionSchema{"boot", boolean, "false", no},
    OptionSchema{"expand", boolean, "false"},
};
constexpr std::array gpt_options{OptionSchema{"guid", text, ""}};
constexpr std::array gpt_sections{
    SectionSchema{"partition", true, gpt_partition_options, {}, CallKind::none}};
constexpr std::array environment_options{
    OptionSchema{"block-offset", integer, "-1"},
    OptionSchema{"block-count", integer, "2147483647"},
    OptionSchema{"block-offset-redund", integer, "-1"},
};
constexpr std::array on_resource_options{
    OptionSchema{"verify-on-the-fly", boolean, "false"},
    OptionSchema{"delta-source-raw-offset", integer, "-1"},
    OptionSchema{"delta-source-raw-count", integer, "-1"},
    OptionSchema{"delta-source-raw-options", text, ""},
    OptionSchema{"delta-source-fat-offset", integer, "-1"},
    OptionSchema{"delta-source-fat-path", text, ""},
};
constexpr std::array task_options{
    OptionSchema{"require-partition1-offset", integer, "-1"},
    OptionSchema{"require-unmounted-destination", boolean, "false"},
    OptionSchema{"verify-on-the-fly", boolean, "false"},
};
constexpr std::array task_sections{
    SectionSchema{"on-init", false, {}, {}, CallKind::functions},
    SectionSchema{"on-finish", false, {}, {}, CallKind::functions},
    SectionSchema{"on-error", false, {}, {}, CallKind::functions},
    SectionSchema{"on-resource", true, on_resource_options, {}, CallKind::functions},
};
constexpr std::array root_options{
    OptionSchema{"meta-product", text, ""},           OptionSchema{"meta-description", text, ""},
    OptionSchema{"meta-version", text, ""},           OptionSchema{"meta-author", text, ""},
    OptionSchema{"meta-platform", text, ""},          OptionSchema{"meta-architecture", text, ""},
    OptionSchema{"meta-creation-date", text, "", no}, OptionSchema{"meta-uuid", text, "", no},
    OptionSchema{"meta-nickname", text, "", no},      OptionSchema{"meta-fwup-version", text, ""},
    OptionSchema{"meta-vcs-identifier", text, ""},    OptionSchema{"meta-misc", text, ""},
    OptionSchema{"require-fwup-version", text, "0"},  OptionSchema{"block-cache-size-mb", integer, "0"},
};
constexpr std::array root_sections{
    SectionSchema{"file-resource", true, file_resource_options, {}, CallKind::none},
    SectionSchema{"mbr", true, mbr_options, mbr_sections, CallKind::none},
    SectionSchema{"gpt", true, gpt_options, gpt_sections, CallKind::none},
    SectionSchema{"task", true, task_options, task_sections, CallKind::conditions},
    SectionSchema{"uboot-environment", true, environment_options, {}, CallKind::none},
};
constexpr SectionSchema root{"", false, root_options, root_sections, CallKind::none};

} // namespace

OptionSchema const* SectionSchema::find_option(std::string_view option) const {
    auto const found = std::ranges::find(options, option, &OptionSchema::name);
    return found == options.end() ? nullptr : &*found;
}

SectionSchema const* SectionSchema::find_section(std::string_view section) const {
    auto const found = std::ranges::find(sections, section, &SectionSchema::name);
    return found == sections.end() ? nullptr : &*found;
}

SectionSchema const& root_schema() {
    return root;
}

} // namespace sinew::firmware
