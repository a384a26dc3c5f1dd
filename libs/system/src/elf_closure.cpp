/// Completing a tree with the libraries it needs.
///
/// Invariant: each file is read once; the work list only grows by files that were not in the tree before.
#include "elf_closure.hpp"

#include "elf_file.hpp"
#include "tree.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::system {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t elf_limit_bytes = 256u << 20;

bool starts_like_elf(fs::path const& path) {
    auto const file = open_file(path, O_RDONLY);
    if (!file) {
        return false;
    }
    std::array<std::byte, 4> start{};
    auto const count = read_some(*file, start);
    return count && *count == start.size() && is_elf(start);
}

class Closure {
public:
    explicit Closure(ClosureOptions const& options)
        : m_options(options)
        , m_machine(machine_of_triplet(options.gnu_triplet)) {}

    Result<> run() {
        TRY(auto const files, list_files(m_options.tree));
        for (auto const& file : files) {
            if (starts_like_elf(m_options.tree / file)) {
                add(file);
            }
        }
        while (!m_work.empty()) {
            auto const file = std::move(m_work.back());
            m_work.pop_back();
            TRY_OK(visit(file));
        }
        return {};
    }

private:
    void add(fs::path const& file) {
        if (m_seen.insert(file).second) {
            m_work.push_back(file);
        }
    }

    Result<> visit(fs::path const& file) {
        TRY(auto const bytes, read_file(m_options.tree / file, elf_limit_bytes));
        auto elf = parse_elf(bytes);
        if (!elf) {
            return std::unexpected(std::move(elf).error().with_context("/" + file.string()));
        }
        if (elf->type == ElfType::relocatable) {
            return {}; // kernel modules and objects need no libraries
        }
        if (elf->machine != m_machine) {
            return failure(
                ErrorCode::invalid_argument,
                fmt::format("/{}: is for {}, the target needs {}; build it with the target's toolchain file",
                            file.string(), machine_name(elf->machine), machine_name(m_machine)));
        }
        if (!elf->interpreter.empty()) {
            TRY_OK(require(fs::path(elf->interpreter).relative_path(), file));
        }
        for (auto const& name : elf->needed) {
            TRY_OK(require_library(name, *elf, file));
        }
        return {};
    }

    /// Where the dynamic linker looks for a library that `file` needs.
    [[nodiscard]] std::vector<fs::path> search_path(ElfFile const& elf, fs::path const& file) const {
        std::vector<fs::path> path;
        for (auto entry : elf.run_path) {
            for (std::string_view const token : {"$ORIGIN", "${ORIGIN}"}) {
                if (auto const at = entry.find(token); at != std::string::npos) {
                    entry.replace(at, token.size(), "/" + file.parent_path().string());
                }
            }
            auto const normal = fs::path(entry).lexically_normal().relative_path();
            if (!normal.empty() && *normal.begin() != "..") {
                path.push_back(normal);
            }
        }
        path.insert(path.end(), {fs::path("usr/lib") / m_options.gnu_triplet, "usr/lib", "usr/lib64"});
        return path;
    }

    Result<> require_library(std::string const& name, ElfFile const& elf, fs::path const& needed_by) {
        if (name.contains('/')) {
            return require(fs::path(name).relative_path(), needed_by);
        }
        auto const path = search_path(elf, needed_by);
        for (auto const& tree : {m_options.tree, m_options.source}) {
            for (auto const& folder : path) {
                if (exists_in(tree, folder / name)) {
                    return require(folder / name, needed_by);
                }
            }
        }
        return missing(name, needed_by);
    }

    Result<> require(fs::path const& file, fs::path const& needed_by) {
        if (!exists_in(m_options.tree, file)) {
            if (!exists_in(m_options.source, file)) {
                return missing(file.string(), needed_by);
            }
            TRY_OK(copy_with_links(m_options.source, m_options.tree, file));
        }
        TRY(auto const real, resolve_in(m_options.tree, file));
        add(real);
        return {};
    }

    static Result<> missing(std::string const& name, fs::path const& needed_by) {
        return failure(
            ErrorCode::not_found,
            fmt::format("{} is needed by /{} but is neither in the application nor in the system; add its "
                        "package to packages.sysroot in system.toml, or link it statically",
                        name, needed_by.string()));
    }

    ClosureOptions const& m_options;
    std::uint16_t m_machine;
    std::set<fs::path> m_seen;
    std::vector<fs::path> m_work;
};

} // namespace

Result<> complete_libraries(ClosureOptions const& options) {
    return Closure(options).run();
}

} // namespace sinew::system
