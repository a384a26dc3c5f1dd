// The rules for a project's name and version. See project.hpp.
#include <sinew/tooling/project.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <optional>

namespace sinew::tooling {

namespace {

constexpr std::size_t longest_name = 40;

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

bool may_follow(char c) {
    return is_lower(c) || (c >= '0' && c <= '9') || c == '_';
}

/// The nearest name that fits the pattern, if anything is left of it.
std::optional<std::string> proposal(std::string_view name) {
    std::string result;
    for (char const c : name) {
        auto const lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        if (is_lower(lower) || (!result.empty() && may_follow(lower) && lower != '_')) {
            result += lower;
        } else if (!result.empty() && result.back() != '_') {
            result += '_';
        }
    }
    while (!result.empty() && result.back() == '_') {
        result.pop_back();
    }
    if (result.empty() || result.size() > longest_name) {
        return std::nullopt;
    }
    return result;
}

std::unexpected<Error> refuse(std::string_view name, std::string_view reason) {
    return failure(ErrorCode::invalid_argument, fmt::format("'{}' can't name a project: {}", name, reason));
}

bool is_number(std::string_view text) {
    return !text.empty() && text.size() <= 9 && (text == "0" || text.front() != '0') &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_identifier_list(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-';
    });
}

} // namespace

Result<> check_project_name(std::string_view name) {
    if (name.empty()) {
        return refuse(name, "it is empty; name it like 'blinky' or 'sensor_node'");
    }
    if (name.size() > longest_name) {
        return refuse(name, fmt::format("it has {} characters; use at most {}", name.size(), longest_name));
    }
    if (!is_lower(name.front()) || !std::ranges::all_of(name, may_follow)) {
        auto const better = proposal(name);
        return refuse(name,
                      "it must begin with a lower-case letter and go on with lower-case letters, digits and "
                      "underscores" +
                          (better ? fmt::format("; '{}' would do", *better) : std::string()));
    }
    if (name.contains("__") || name.back() == '_') {
        return refuse(
            name, "underscores must stand single and between other characters: C++ keeps the rest to itself");
    }
    return {};
}

std::string type_name_of(std::string_view project_name) {
    std::string result;
    bool capital = true;
    for (char const c : project_name) {
        if (c == '_') {
            capital = true;
            continue;
        }
        result += capital ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        capital = false;
    }
    return result + "Application";
}

Result<> check_version(std::string_view version) {
    std::string_view core = version;
    bool good = true;
    for (char const mark : {'+', '-'}) {
        if (auto const at = core.find(mark); at != std::string_view::npos) {
            good = good && is_identifier_list(core.substr(at + 1));
            core = core.substr(0, at);
        }
    }
    int parts = 0;
    while (good) {
        auto const dot = core.find('.');
        good = is_number(core.substr(0, dot));
        ++parts;
        if (dot == std::string_view::npos) {
            break;
        }
        core = core.substr(dot + 1);
    }
    if (!good || parts != 3) {
        return failure(
            ErrorCode::invalid_argument,
            fmt::format("'{}' is not a version: write MAJOR.MINOR.PATCH, such as 1.2.0 or 1.2.0-rc.1",
                        version));
    }
    return {};
}

} // namespace sinew::tooling
