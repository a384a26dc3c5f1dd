// The rules for a project's name and version. See project.hpp.
#include <sinew/tooling/project.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace sinew::tooling {

namespace {

constexpr std::size_t longest_name = 40;

// A project's name becomes a C++ namespace, a CMake target, a folder and a program. These can't be all of
// that.
constexpr auto cpp_keywords = std::to_array<std::string_view>({"alignas",
                                                               "alignof",
                                                               "and",
                                                               "and_eq",
                                                               "asm",
                                                               "auto",
                                                               "bitand",
                                                               "bitor",
                                                               "bool",
                                                               "break",
                                                               "case",
                                                               "catch",
                                                               "char",
                                                               "char16_t",
                                                               "char32_t",
                                                               "char8_t",
                                                               "class",
                                                               "co_await",
                                                               "co_return",
                                                               "co_yield",
                                                               "compl",
                                                               "concept",
                                                               "const",
                                                               "const_cast",
                                                               "consteval",
                                                               "constexpr",
                                                               "constinit",
                                                               "continue",
                                                               "decltype",
                                                               "default",
                                                               "delete",
                                                               "do",
                                                               "double",
                                                               "dynamic_cast",
                                                               "else",
                                                               "enum",
                                                               "explicit",
                                                               "export",
                                                               "extern",
                                                               "false",
                                                               "float",
                                                               "for",
                                                               "friend",
                                                               "goto",
                                                               "if",
                                                               "import",
                                                               "inline",
                                                               "int",
                                                               "long",
                                                               "module",
                                                               "mutable",
                                                               "namespace",
                                                               "new",
                                                               "noexcept",
                                                               "not",
                                                               "not_eq",
                                                               "nullptr",
                                                               "operator",
                                                               "or",
                                                               "or_eq",
                                                               "private",
                                                               "protected",
                                                               "public",
                                                               "register",
                                                               "reinterpret_cast",
                                                               "requires",
                                                               "return",
                                                               "short",
                                                               "signed",
                                                               "sizeof",
                                                               "static",
                                                               "static_assert",
                                                               "static_cast",
                                                               "struct",
                                                               "switch",
                                                               "template",
                                                               "this",
                                                               "thread_local",
                                                               "throw",
                                                               "true",
                                                               "try",
                                                               "typedef",
                                                               "typeid",
                                                               "typename",
                                                               "union",
                                                               "unsigned",
                                                               "using",
                                                               "virtual",
                                                               "void",
                                                               "volatile",
                                                               "wchar_t",
                                                               "while",
                                                               "xor",
                                                               "xor_eq"});

constexpr auto used_by_sinew = std::to_array<std::string_view>(
    {"sinew",  "sinewd", "led",   "button", "test",  "tests", "host",  "target", "build",   "src",
     "config", "all",    "clean", "help",   "std",   "main",  "linux", "unix",   "install", "boost",
     "base",   "fmt",    "otp",   "fwup",   "gtest", "gmock", "root",  "testing"});

// Functions and variables of the C library live in the global namespace: a namespace can't have their name.
constexpr auto c_library = std::to_array<std::string_view>(
    {"abort",    "abs",    "accept", "access", "acct",    "alarm",  "atexit", "atof",    "atoi",    "bind",
     "brk",      "calloc", "ceil",   "chdir",  "clock",   "clone",  "close",  "connect", "cos",     "creat",
     "ctime",    "daemon", "div",    "dup",    "environ", "erf",    "exit",   "exp",     "floor",   "fork",
     "free",     "gamma",  "getenv", "index",  "ioctl",   "kill",   "link",   "listen",  "log",     "malloc",
     "mmap",     "mount",  "nice",   "open",   "pause",   "perror", "pipe",   "poll",    "pow",     "printf",
     "puts",     "qsort",  "raise",  "rand",   "random",  "read",   "remove", "rename",  "round",   "scanf",
     "select",   "send",   "setenv", "signal", "sin",     "sleep",  "socket", "sqrt",    "stat",    "stderr",
     "stdin",    "stdout", "swab",   "sync",   "syscall", "system", "tan",    "time",    "timer_t", "times",
     "truncate", "umask",  "uname",  "unlink", "wait",    "write"});

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
    if (std::ranges::find(cpp_keywords, name) != cpp_keywords.end()) {
        return refuse(name, "it is a C++ keyword, and the name becomes a namespace; choose another");
    }
    if (std::ranges::find(used_by_sinew, name) != used_by_sinew.end()) {
        return refuse(name, "Sinew or the build uses that word itself; choose another");
    }
    if (std::ranges::find(c_library, name) != c_library.end()) {
        return refuse(
            name,
            "the C library has a function of that name, and the name becomes a namespace; choose another");
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
    return result;
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
