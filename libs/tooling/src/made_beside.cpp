// Comparing the tool's own build with what a build for a target would be. See made_beside.hpp.
#include <sinew/base/command.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/tooling/console.hpp>
#include <sinew/tooling/made_beside.hpp>

#include <boost/describe/class.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <set>
#include <system_error>
#include <utility>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

/// What is linked into a program itself. The shared libraries are those of the same release, as on the
/// device.
constexpr std::array<std::string_view, 12> linked_statically = {"usr/lib/{}/crt1.o",
                                                                "usr/lib/{}/Scrt1.o",
                                                                "usr/lib/{}/rcrt1.o",
                                                                "usr/lib/{}/crti.o",
                                                                "usr/lib/{}/crtn.o",
                                                                "usr/lib/{}/libc.a",
                                                                "usr/lib/{}/libc_nonshared.a",
                                                                "usr/lib/gcc/{}/12/crtbeginT.o",
                                                                "usr/lib/gcc/{}/12/crtbeginS.o",
                                                                "usr/lib/gcc/{}/12/libgcc.a",
                                                                "usr/lib/gcc/{}/12/libgcc_eh.a",
                                                                "usr/lib/gcc/{}/12/libstdc++.a"};

std::string_view take_line(std::string_view& text) {
    auto const end = std::min(text.find('\n'), text.size());
    auto const line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

bool have_equal_content(fs::path const& one, fs::path const& other) {
    std::error_code problem;
    if (fs::file_size(one, problem) != fs::file_size(other, problem) || problem) {
        return false;
    }
    auto const first = read_file(one);
    auto const second = read_file(other);
    return first && second && *first == *second;
}

fs::path real_compiler(fs::path const& compiler) {
    std::error_code problem;
    return fs::canonical(find_program(compiler.string()).value_or(compiler), problem);
}

/// Why the build isn't configured as a device's is; empty: it is.
std::string difference_of_configurations(std::map<std::string, std::string> const& cache,
                                         DeviceBuild const& wanted) {
    auto const value = [&cache](std::string const& name) {
        auto const found = cache.find(name);
        return found == cache.end() ? std::string() : found->second;
    };
    if (value("CMAKE_HOME_DIRECTORY") != wanted.root) {
        return "it is of another tree";
    }
    if (real_compiler(value("CMAKE_CXX_COMPILER")) != real_compiler(wanted.compiler)) {
        return "it has another compiler";
    }
    for (auto const& [name, wanted_value] : wanted.variables) {
        if (name != "CMAKE_TOOLCHAIN_FILE" && name != "SINEW_COMPONENTS" && value(name) != wanted_value) {
            return fmt::format("{} is '{}' there", name, value(name));
        }
    }
    for (std::string const name :
         {"CMAKE_CXX_FLAGS", "CMAKE_C_FLAGS", "CMAKE_EXE_LINKER_FLAGS", "SINEW_SANITIZE"}) {
        if (!value(name).empty()) {
            return fmt::format("{} is '{}' there", name, value(name));
        }
    }
    return {};
}

struct CompileCommand {
    std::string directory;
    std::string command;
    std::string file;
    std::string output;
};
BOOST_DESCRIBE_STRUCT(CompileCommand, (), (directory, command, file, output))

/// What shows the preprocessed source of each object; of those that a compile_commands.json knows.
Result<std::map<std::string, std::string>> preprocessing_commands(fs::path const& build_folder,
                                                                  std::set<std::string> const& objects) {
    fs::path const file = build_folder / "compile_commands.json";
    TRY(auto const text, read_text_file(file));
    TRY(auto const all, from_json<std::vector<CompileCommand>>(text, file.string()));
    std::map<std::string, std::string> commands;
    for (std::string const& object : objects) {
        std::string const words = fmt::format(" -o {} -c ", object);
        auto const found = std::ranges::find_if(
            all, [&words](CompileCommand const& one) { return one.command.contains(words); });
        if (found != all.end()) {
            std::string command = found->command;
            command.replace(command.find(words), words.size(), " ");
            commands.emplace(object, command + " -E -P -w"); // without the names of files, and warnings
        }
    }
    return commands;
}

/// Whether an object comes out the same, although headers that it includes differ.
Result<bool> compiles_equally(fs::path const& build_folder, std::string const& preprocess,
                              fs::path const& sysroot) {
    CommandOptions options;
    options.working_directory = build_folder;
    std::array<std::string, 2> sources;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        std::string const command =
            i == 0 ? preprocess : fmt::format("{} '--sysroot={}'", preprocess, sysroot.string());
        TRY(auto done, run_command({"/bin/sh", "-c", command}, options));
        if (done.status != 0) {
            return false;
        }
        sources.at(i) = std::move(done.output);
    }
    return sources[0] == sources[1];
}

/// What makes programs for the target other ones: a header, or a static library; empty: nothing does. Kernel
/// headers differ in a line or two with every update, which hardly ever changes what is compiled: where a header
/// differs, the preprocessed sources decide.
Result<std::string> difference_of_inputs(fs::path const& build_folder, DeviceBuild const& wanted) {
    TRY(auto const said, run_checked({"ninja", "-C", build_folder.string(), "-t", "deps"}));
    std::error_code problem;
    std::map<std::string, std::string> differing; // object -> one of its headers
    for (auto const& [header, objects] :
         parse_dependencies(said, {"libs/system/", "libs/tooling/", "apps/sinew/"})) {
        fs::path const in_sysroot = wanted.sysroot / fs::path(header).relative_path();
        // What the compiler brings along is taken from the compiler in both builds.
        bool const is_compilers = header.starts_with("/usr/lib/gcc/") && !fs::exists(in_sysroot, problem);
        if (header.starts_with("/usr/") && !is_compilers && !have_equal_content(header, in_sysroot)) {
            for (std::string const& object : objects) {
                differing.emplace(object, header);
            }
        }
    }
    auto const keys = std::views::keys(differing);
    TRY(auto const commands, preprocessing_commands(build_folder, {keys.begin(), keys.end()}));
    for (auto const& [object, header] : differing) {
        auto const command = commands.find(object);
        if (command == commands.end()) {
            return header;
        }
        TRY(bool const is_equal, compiles_equally(build_folder, command->second, wanted.sysroot));
        if (!is_equal) {
            return header;
        }
    }
    std::string const machine = fs::path(wanted.compiler).filename().string();
    std::string const triplet = machine.substr(0, machine.rfind("-g++"));
    for (std::string_view const pattern : linked_statically) {
        std::string const file = fmt::format(fmt::runtime(pattern), triplet);
        if (!have_equal_content("/" + file, wanted.sysroot / file)) {
            return "/" + file;
        }
    }
    return std::string();
}

Result<std::string> difference(fs::path const& build_folder, DeviceBuild const& wanted) {
    TRY(auto const cache, read_text_file(build_folder / "CMakeCache.txt"));
    if (auto text = difference_of_configurations(parse_cmake_cache(cache), wanted); !text.empty()) {
        return text;
    }
    TRY(auto const said, run_checked({"ninja", "-C", build_folder.string(), "-n", "sinew_programs"}));
    if (!said.contains("no work to do")) {
        return std::string("it isn't up to date");
    }
    TRY(auto const file, difference_of_inputs(build_folder, wanted));
    return file.empty() ? file : fmt::format("{} differs from the target's", file);
}

} // namespace

std::map<std::string, std::string> parse_cmake_cache(std::string_view text) {
    std::map<std::string, std::string> values;
    while (!text.empty()) {
        auto const line = take_line(text);
        auto const type = line.find(':');
        auto const value = line.find('=', std::min(type, line.size()));
        if (value != std::string_view::npos && !line.starts_with('#') && !line.starts_with("//")) {
            values.emplace(line.substr(0, type), line.substr(value + 1));
        }
    }
    return values;
}

std::map<std::string, std::vector<std::string>> parse_dependencies(std::string_view text,
                                                                   std::vector<std::string> const& ignored) {
    std::map<std::string, std::vector<std::string>> headers;
    std::string object;
    while (!text.empty()) {
        auto const line = take_line(text);
        if (!line.starts_with("    ")) { // "libs/otp/….cpp.o: #deps 400, deps mtime 17 (VALID)"
            bool const counts = std::ranges::none_of(
                ignored, [&](std::string const& start) { return line.starts_with(start); });
            object = counts ? line.substr(0, line.find(':')) : std::string_view();
        } else if (!object.empty() && line.starts_with("    /")) {
            headers[fs::path(line.substr(4)).lexically_normal().string()].push_back(object);
        }
    }
    return headers;
}

fs::path own_build_folder() {
    std::error_code problem;
    return fs::read_symlink("/proc/self/exe", problem).parent_path().parent_path();
}

std::optional<fs::path> find_equal_build(Console& console, fs::path const& build_folder,
                                         DeviceBuild const& wanted) {
    StepTimer const timer(console, "comparing this tool's build");
    std::error_code problem;
    if (!fs::exists(build_folder / "CMakeCache.txt", problem)) {
        return std::nullopt;
    }
    auto const differs = difference(build_folder, wanted);
    if (differs && differs->empty()) {
        return build_folder;
    }
    console.detail(fmt::format("the programs in {} can't be used: {}", build_folder.string(),
                               differs ? *differs : differs.error().message()));
    return std::nullopt;
}

} // namespace sinew::tooling
