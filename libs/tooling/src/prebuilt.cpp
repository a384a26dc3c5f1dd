// Parts of Sinew in the cache: cache/prebuilt/PART-KEY holds what was made, cache/build/PART-TREE what it is
// made in. See prebuilt.hpp.
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/system/named_lock.hpp>
#include <sinew/system/source_hash.hpp>
#include <sinew/tooling/cmake_build.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/prebuilt.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <vector>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

/// Counted up when the same inputs make something else.
constexpr int format_version = 1;
constexpr std::size_t versions_kept = 3;
constexpr std::size_t build_folders_kept = 3;
/// How often sources may change while they are being built.
constexpr int attempts = 5;

std::string_view component(PartKind kind) {
    return kind == PartKind::programs ? "programs" : "libraries";
}

std::string name_of(Part const& part) {
    return fmt::format("{}-{}", component(part.kind), part.name);
}

/// What tells one compiler from another without running it.
std::string identity_of(fs::path const& compiler) {
    std::error_code problem;
    fs::path const file = fs::canonical(find_program(compiler.string()).value_or(compiler), problem);
    auto const size = fs::file_size(file, problem);
    auto const time = fs::last_write_time(file, problem).time_since_epoch().count();
    return fmt::format("{} {} {}", file.string(), size, time);
}

Result<std::string> key_of(fs::path const& root, Part const& part) {
    TRY(auto const sources, system::hash_of_sources(root));
    std::string text = fmt::format("{}\n{}\n{}\n", format_version, sources, identity_of(part.compiler));
    if (part.kind == PartKind::libraries) { // they come with the paths of their headers
        text += root.string() + "\n";
    }
    for (auto const& [name, value] : part.variables) {
        text += fmt::format("{}={}\n", name, value);
    }
    return system::hash_of_text(text).substr(0, 24);
}

void mark_used(fs::path const& folder) {
    std::error_code ignored;
    fs::last_write_time(folder, fs::file_time_type::clock::now(), ignored);
}

/// Makes sure that what is renamed into place is on the disk.
void write_through(fs::path const& folder) {
    if (auto const opened = open_file(folder, O_RDONLY | O_DIRECTORY)) {
        (void)::syncfs(opened->get());
    }
}

/// One build of a part, with its lock held.
class Making {
public:
    Making(Context const& context, Part const& part, fs::path root)
        : m_console(context.console())
        , m_part(part)
        , m_root(std::move(root))
        , m_prebuilt(context.paths().cache / "prebuilt")
        , m_builds(context.paths().cache / "build") {}

    [[nodiscard]] fs::path folder(std::string const& key) const {
        return m_prebuilt / fmt::format("{}-{}", name_of(m_part), key);
    }

    Result<fs::path> run() {
        std::error_code problem;
        fs::create_directories(m_prebuilt, problem);
        fs::create_directories(m_builds, problem);
        TRY(auto const lock,
            system::lock_by_name(m_prebuilt / (name_of(m_part) + ".lock"), [this](std::string const& holder) {
                m_console.warn(fmt::format("waiting for {}, which makes {}", holder, m_part.label));
            }));
        TRY(auto key, key_of(m_root, m_part));
        if (fs::exists(folder(key), problem)) {
            return folder(key); // the other one made it
        }
        if (auto const made = m_part.find_made ? m_part.find_made() : std::nullopt) {
            return install(*made, key);
        }
        for (int attempt = 1; attempt <= attempts; ++attempt) {
            TRY_OK(build());
            TRY(auto const key_now, key_of(m_root, m_part));
            if (key_now == key) {
                return install(build_folder(), key);
            }
            key = key_now;
            if (fs::exists(folder(key), problem)) {
                return folder(key); // they are again what they were before
            }
        }
        return failure(ErrorCode::unavailable,
                       fmt::format("the sources in {} change all the time; run again when they stand still",
                                   m_root.string()));
    }

private:
    [[nodiscard]] std::string build_prefix() const { return name_of(m_part) + "-"; }
    [[nodiscard]] fs::path build_folder() const {
        return m_builds / (build_prefix() + system::hash_of_text(m_root.string()).substr(0, 12));
    }

    Result<> build() {
        auto const folder = build_folder();
        TRY_OK(build_with_cmake(m_console, {.source = m_root,
                                            .folder = folder,
                                            .variables = m_part.variables,
                                            .targets = {fmt::format("sinew_{}", component(m_part.kind))},
                                            .label = m_part.label}));
        mark_used(folder);
        remove_oldest(m_builds, build_prefix(), build_folders_kept);
        return {};
    }

    Result<fs::path> install(fs::path const& build_folder, std::string const& key) {
        fs::path const unfinished = m_prebuilt / ("unfinished-" + name_of(m_part));
        std::error_code problem;
        fs::remove_all(unfinished, problem);
        TRY_OK(run_checked({"cmake", "--install", build_folder.string(), "--component",
                            std::string(component(m_part.kind)), "--prefix", unfinished.string()}));
        write_through(m_prebuilt);
        fs::rename(unfinished, folder(key), problem);
        if (problem) {
            return std::unexpected(error_from_errno(problem.value(), folder(key).string()));
        }
        mark_used(folder(key));
        remove_oldest(m_prebuilt, name_of(m_part) + "-", versions_kept);
        return folder(key);
    }

    Console& m_console;
    Part const& m_part;
    fs::path m_root;
    fs::path m_prebuilt;
    fs::path m_builds;
};

} // namespace

void remove_oldest(fs::path const& folder, std::string_view prefix, std::size_t keep) {
    std::vector<fs::directory_entry> found;
    std::error_code problem;
    for (fs::directory_entry const& entry : fs::directory_iterator(folder, problem)) {
        std::string const name = entry.path().filename().string();
        // "host-" isn't the beginning of "host-thread-KEY": what follows is one hexadecimal word.
        if (name.starts_with(prefix) &&
            name.find_first_not_of("0123456789abcdef", prefix.size()) == std::string::npos) {
            found.push_back(entry);
        }
    }
    std::ranges::sort(found, std::ranges::greater(), [&problem](fs::directory_entry const& entry) {
        return entry.last_write_time(problem);
    });
    for (std::size_t i = keep; i < found.size(); ++i) {
        fs::remove_all(found[i].path(), problem);
    }
}

Result<fs::path> prebuilt_part(Context const& context, Part const& part) {
    TRY(auto const root, context.root());
    Making making(context, part, root);
    TRY(auto const key, key_of(root, part));
    fs::path folder = making.folder(key);
    std::error_code problem;
    if (!fs::exists(folder, problem)) {
        StepTimer const timer(context.console(), part.label);
        TRY(folder, making.run());
    }
    mark_used(folder);
    return folder;
}

} // namespace sinew::tooling
