// Running cmake and ninja. See cmake_build.hpp.
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/text.hpp>
#include <sinew/system/named_lock.hpp>
#include <sinew/tooling/cmake_build.hpp>
#include <sinew/tooling/console.hpp>

#include <fmt/core.h>

#include <system_error>
#include <thread>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

/// Remembers in the build folder what it was configured with.
constexpr std::string_view stamp_name = "sinew-configured-with";

std::vector<std::string> configure_arguments(CmakeBuild const& build) {
    std::vector<std::string> arguments = {
        "cmake", "-G", "Ninja", "-S", build.source.string(), "-B", build.folder.string()};
    for (auto const& [name, value] : build.variables) {
        arguments.push_back(fmt::format("-D{}={}", name, value));
    }
    return arguments;
}

std::string stamp_text(std::vector<std::string> const& arguments) {
    std::string text;
    for (std::string const& argument : arguments) {
        text += argument + "\n";
    }
    return text;
}

Result<> configure(Console& console, CmakeBuild const& build, std::vector<std::string> const& arguments) {
    StepTimer const timer(console, "configure " + build.folder.filename().string());
    fs::path const stamp = build.folder / stamp_name;
    std::error_code ignored;
    fs::remove(stamp, ignored);
    // A tree that was configured otherwise may hold a cache that contradicts the new variables.
    fs::remove(build.folder / "CMakeCache.txt", ignored);
    CommandOptions options;
    options.on_line = [&console](std::string_view line) { console.detail(line); };
    TRY(auto const done, run_command(arguments, options));
    if (done.status != 0) {
        if (!console.options().verbose) {
            console.say(done.output + done.error_output);
        }
        return failure(
            ErrorCode::invalid_argument,
            fmt::format("cmake could not configure {}; its messages are above", build.source.string()));
    }
    return write_file_atomically(stamp, as_bytes(stamp_text(arguments)));
}

bool is_configured(CmakeBuild const& build, std::vector<std::string> const& arguments) {
    auto const stamp = read_text_file(build.folder / stamp_name);
    return stamp && *stamp == stamp_text(arguments) && fs::exists(build.folder / "build.ninja");
}

bool is_noise(std::string_view line) {
    return parse_build_step(line).has_value() || line.starts_with("ninja:");
}

} // namespace

std::optional<BuildStep> parse_build_step(std::string_view line) {
    if (!line.starts_with('[')) {
        return std::nullopt;
    }
    line.remove_prefix(1);
    auto const done = take_number<std::uint64_t>(line);
    if (!done || !line.starts_with('/')) {
        return std::nullopt;
    }
    line.remove_prefix(1);
    auto const total = take_number<std::uint64_t>(line);
    if (!total || !line.starts_with(']') || *total < *done) {
        return std::nullopt;
    }
    return BuildStep{.done = *done, .total = *total};
}

Result<> build_with_cmake(Console& console, CmakeBuild const& build) {
    std::error_code problem;
    fs::create_directories(build.folder, problem);
    if (problem) {
        return std::unexpected(
            error_from_errno(problem.value(), fmt::format("can't build in {}", build.folder.string())));
    }
    TRY(auto const lock,
        system::lock_by_name(build.folder / "sinew-build.lock", [&](std::string const& holder) {
            console.warn(fmt::format("waiting for {}, which builds in {}", holder, build.folder.string()));
        }));
    auto const arguments = configure_arguments(build);
    if (!is_configured(build, arguments)) {
        TRY_OK(configure(console, build, arguments));
    }
    StepTimer const timer(console, build.label);
    std::vector<std::string> words = {"cmake", "--build", build.folder.string(), "-j",
                                      std::to_string(std::max(1U, std::thread::hardware_concurrency()))};
    if (!build.targets.empty()) {
        words.emplace_back("--target");
        words.insert(words.end(), build.targets.begin(), build.targets.end());
    }
    std::string said;
    CommandOptions options;
    options.environment = {{"NINJA_STATUS", "[%f/%t] "},
                           {"CLICOLOR_FORCE", console.options().colours ? "1" : "0"}};
    options.on_line = [&](std::string_view line) {
        if (auto const step = parse_build_step(line)) {
            console.progress(build.label, step->done, step->total, ProgressUnit::steps);
        }
        if (!is_noise(line)) {
            said += std::string(line) + "\n";
        }
        console.detail(line);
    };
    TRY(auto const done, run_command(words, options));
    console.end_progress();
    if (done.status != 0) {
        if (!console.options().verbose) {
            console.say(said);
        }
        return failure(ErrorCode::invalid_argument,
                       fmt::format("{} failed; the messages are above", build.label));
    }
    return {};
}

} // namespace sinew::tooling
