/// The tables and their checks. See the header for invariant and threading.
#include "script/functions.hpp"

#include <sinew/base/result.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sinew::firmware {

namespace {

/// One row of a table. `numbers` has bit N set when argument N (from 1) is a number.
template<typename Id>
struct Row {
    std::string_view name;
    Id id;
    std::size_t fewest_arguments;
    std::size_t most_arguments;
    unsigned numbers = 0;
    bool consumes_resource = false;
};

constexpr unsigned first = 1u << 1;
constexpr unsigned second = 1u << 2;
constexpr unsigned third = 1u << 3;
constexpr std::size_t most_words = 10;
constexpr std::uint64_t last_primary = 3;

constexpr std::array functions{
    Row<Function>{"raw_write", Function::raw_write, 1, 9, first, true},
    Row<Function>{"raw_memset", Function::raw_memset, 3, 3, first | second | third},
    Row<Function>{"trim", Function::trim, 2, 2, first | second},
    Row<Function>{"fat_mkfs", Function::fat_mkfs, 2, 2, first | second},
    Row<Function>{"fat_write", Function::fat_write, 1, 2, first, true},
    Row<Function>{"fat_cp", Function::fat_cp, 3, 4, first},
    Row<Function>{"fat_mv", Function::fat_mv, 3, 3, first},
    Row<Function>{"fat_mv!", Function::fat_mv_replace, 3, 3, first},
    Row<Function>{"fat_rm", Function::fat_rm, 2, 2, first},
    Row<Function>{"fat_rm!", Function::fat_rm_existing, 2, 2, first},
    Row<Function>{"fat_mkdir", Function::fat_mkdir, 2, 2, first},
    Row<Function>{"fat_touch", Function::fat_touch, 2, 2, first},
    Row<Function>{"fat_setlabel", Function::fat_setlabel, 2, 2, first},
    Row<Function>{"fat_attrib", Function::fat_attrib, 3, 3, first},
    Row<Function>{"mbr_write", Function::mbr_write, 1, 1},
    Row<Function>{"gpt_write", Function::gpt_write, 1, 1},
    Row<Function>{"uboot_clearenv", Function::uboot_clearenv, 1, 1},
    Row<Function>{"uboot_setenv", Function::uboot_setenv, 3, 3},
    Row<Function>{"uboot_unsetenv", Function::uboot_unsetenv, 2, 2},
    Row<Function>{"uboot_recover", Function::uboot_recover, 1, 1},
    Row<Function>{"info", Function::info, 1, 1},
    Row<Function>{"error", Function::error, 1, 1},
    Row<Function>{"reboot_param", Function::reboot_param, 1, 1},
    Row<Function>{"path_write", Function::path_write, 1, 1, 0, true},
    Row<Function>{"pipe_write", Function::pipe_write, 1, 1, 0, true},
    Row<Function>{"execute", Function::execute, 1, 1},
    Row<Function>{"ubi_volume_write", Function::ubi_volume_write, 1, 1, 0, true},
};

constexpr std::array conditions{
    Row<Condition>{"require-partition-offset", Condition::partition_offset, 2, 2, first | second},
    Row<Condition>{"require-path-on-device", Condition::path_on_device, 2, 2},
    Row<Condition>{"require-path-at-offset", Condition::path_at_offset, 2, 2, second},
    Row<Condition>{"require-fat-file-exists", Condition::fat_file_exists, 2, 2, first},
    Row<Condition>{"require-fat-file-match", Condition::fat_file_match, 3, 3, first},
    Row<Condition>{"require-uboot-variable", Condition::uboot_variable, 3, 3},
    Row<Condition>{"require-execute", Condition::execute, 1, 1},
};

std::string_view event_name(Event event) {
    switch (event) {
    case Event::init:
        return "on-init";
    case Event::resource:
        return "on-resource";
    case Event::finish:
        return "on-finish";
    case Event::error:
        return "on-error";
    }
    return "";
}

std::string count_text(std::size_t fewest, std::size_t most) {
    auto const least = std::to_string(fewest);
    return (fewest == most ? least : least + " to " + std::to_string(most)) +
           (most == 1 ? " argument" : " arguments");
}

bool is_number(std::string const& word, Deferred deferred) {
    return parse_number(word) || (deferred == Deferred::allowed && word.contains("${"));
}

template<typename Id>
Result<> check_arguments(Row<Id> const& row, std::span<std::string const> words, Deferred deferred) {
    auto const count = words.size() - 1;
    if (count < row.fewest_arguments || count > row.most_arguments || words.size() > most_words) {
        return failure(ErrorCode::invalid_argument, std::string(row.name) + "() takes " +
                                                        count_text(row.fewest_arguments, row.most_arguments) +
                                                        ", not " + std::to_string(count));
    }
    for (std::size_t i = 1; i < words.size() && i < 8 * sizeof(row.numbers); ++i) {
        if ((row.numbers & (1u << i)) == 0 || is_number(words[i], deferred)) {
            continue;
        }
        return failure(ErrorCode::invalid_argument, std::string(row.name) + "(): argument " +
                                                        std::to_string(i) + " must be a number, not '" +
                                                        words[i].substr(0, 60) + "'");
    }
    return {};
}

} // namespace

std::optional<Function> find_function(std::string_view name) {
    auto const found = std::ranges::find(functions, name, &Row<Function>::name);
    return found == functions.end() ? std::nullopt : std::optional(found->id);
}

std::optional<Condition> find_condition(std::string_view name) {
    auto const found = std::ranges::find(conditions, name, &Row<Condition>::name);
    return found == conditions.end() ? std::nullopt : std::optional(found->id);
}

bool consumes_resource(std::string_view function) {
    auto const row = std::ranges::find(functions, function, &Row<Function>::name);
    return row != functions.end() && row->consumes_resource;
}

Result<Function> check_function(std::span<std::string const> words, Event event, Deferred deferred) {
    auto const name = words.empty() ? std::string_view() : std::string_view(words[0]);
    auto const row = std::ranges::find(functions, name, &Row<Function>::name);
    if (row == functions.end()) {
        return failure(ErrorCode::invalid_argument,
                       "unknown function '" + std::string(name.substr(0, 60)) + "'");
    }
    if (row->consumes_resource && event != Event::resource) {
        return failure(ErrorCode::invalid_argument, std::string(name) +
                                                        "() writes a resource and so belongs in an "
                                                        "on-resource section, not in " +
                                                        std::string(event_name(event)));
    }
    TRY_OK(check_arguments(*row, words, deferred));
    bool const has_count = row->id == Function::raw_memset || row->id == Function::trim;
    if (has_count && deferred == Deferred::allowed && parse_number(words[2]) == 0) {
        return failure(ErrorCode::invalid_argument,
                       std::string(name) + "(): the count must be at least 1, not " + words[2]);
    }
    if (row->id == Function::raw_memset && parse_number(words[3]).value_or(0) > 255) {
        return failure(ErrorCode::invalid_argument,
                       "raw_memset(): the byte must be 0 to 255, not " + words[3]);
    }
    if (row->id == Function::fat_cp && words.size() == 5 && !is_number(words[3], deferred)) {
        return failure(ErrorCode::invalid_argument,
                       "fat_cp(): argument 3 of 4 must be a number, not '" + words[3].substr(0, 60) + "'");
    }
    if (row->id == Function::fat_attrib && !(words[3].contains("${") && deferred == Deferred::allowed) &&
        words[3].find_first_not_of("RHSrhs") != std::string::npos) {
        return failure(ErrorCode::invalid_argument,
                       "fat_attrib(): the attributes must be any of R, H and S, not '" +
                           words[3].substr(0, 60) + "'");
    }
    return row->id;
}

Result<Condition> check_condition(std::span<std::string const> words, Deferred deferred) {
    auto const name = words.empty() ? std::string_view() : std::string_view(words[0]);
    auto const row = std::ranges::find(conditions, name, &Row<Condition>::name);
    if (row == conditions.end()) {
        return failure(ErrorCode::invalid_argument,
                       "unknown condition '" + std::string(name.substr(0, 60)) + "'");
    }
    TRY_OK(check_arguments(*row, words, deferred));
    if (row->id == Condition::partition_offset && parse_number(words[1]).value_or(0) > last_primary) {
        return failure(ErrorCode::invalid_argument,
                       "require-partition-offset(): the partition must be a primary one, 0 to 3, not " +
                           words[1].substr(0, 60));
    }
    return row->id;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text[0] == '0') {
        base = 8;
    }
    std::uint64_t value = 0;
    auto const parsed = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || text.empty()) {
        return std::nullopt;
    }
    return value;
}

} // namespace sinew::firmware
