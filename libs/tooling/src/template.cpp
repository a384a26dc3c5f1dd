// Filling in templates, and making a project in one step. See template.hpp.
#include <sinew/base/file.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/project.hpp>
#include <sinew/tooling/template.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <stdio.h> // NOLINT(modernize-deprecated-headers): renameat2
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

/// A folder that disappears unless it was kept.
class HalfMade {
public:
    explicit HalfMade(fs::path path)
        : m_path(std::move(path)) {}
    ~HalfMade() {
        if (!m_path.empty()) {
            std::error_code ignored;
            fs::remove_all(m_path, ignored);
        }
    }
    HalfMade(HalfMade const&) = delete;
    HalfMade& operator=(HalfMade const&) = delete;
    HalfMade(HalfMade&&) = delete;
    HalfMade& operator=(HalfMade&&) = delete;
    [[nodiscard]] fs::path const& path() const noexcept { return m_path; }
    void keep() { m_path.clear(); }

private:
    fs::path m_path;
};

std::string title_of(std::string_view name) {
    std::string title(name);
    std::ranges::replace(title, '_', ' ');
    title.front() = static_cast<char>(title.front() - 'a' + 'A');
    return title;
}

bool is_placeholder_letter(char c) {
    return c >= 'A' && c <= 'Z';
}

fs::path renamed(fs::path const& relative, TemplateValues const& values) {
    fs::path result;
    for (fs::path const& part : relative) {
        std::string const word = part.string();
        if (word == "gitignore" || word == "gitkeep") {
            result /= "." + word;
        } else if (word.ends_with(".in")) {
            result /= word.substr(0, word.size() - 3);
        } else if (word.starts_with("NAME")) {
            result /= values.name + word.substr(4);
        } else {
            result /= part;
        }
    }
    return result;
}

Result<> copy_filled(fs::path const& from, fs::path const& to, TemplateValues const& values) {
    std::error_code problem;
    for (auto entry = fs::recursive_directory_iterator(from, problem);
         entry != fs::recursive_directory_iterator(); entry.increment(problem)) {
        fs::path const target = to / renamed(fs::relative(entry->path(), from), values);
        if (entry->is_directory()) {
            fs::create_directories(target, problem);
            continue;
        }
        TRY(auto const text, read_text_file(entry->path()));
        TRY(auto const filled, fill_template(text, values));
        fs::create_directories(target.parent_path(), problem);
        bool const runs = (entry->status().permissions() & fs::perms::owner_exec) != fs::perms::none;
        TRY_OK(write_file_atomically(target, as_bytes(filled), runs ? 0755 : 0644));
    }
    if (problem) {
        return std::unexpected(error_from_errno(problem.value(), from.string()));
    }
    return {};
}

} // namespace

Result<std::string> fill_template(std::string_view text, TemplateValues const& values) {
    std::string result;
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t const open = text.find('@', at);
        result += text.substr(at, open - at);
        if (open == std::string_view::npos) {
            break;
        }
        auto const close = std::ranges::find_if_not(text.substr(open + 1), is_placeholder_letter);
        std::string_view const word(text.begin() + open + 1, close);
        if (word.empty() || close == text.end() || *close != '@') {
            result += '@';
            at = open + 1;
            continue;
        }
        if (word == "NAME") {
            result += values.name;
        } else if (word == "NAMESPACE") {
            result += values.name + "_app";
        } else if (word == "TYPE") {
            result += type_name_of(values.name);
        } else if (word == "TITLE") {
            result += title_of(values.name);
        } else if (word == "TARGET") {
            result += values.target;
        } else {
            return failure(ErrorCode::corrupt,
                           fmt::format("the template has an unknown placeholder @{}@", word));
        }
        at = open + word.size() + 2;
    }
    return result;
}

Result<fs::path> create_project(Context const& context, fs::path const& parent, std::string const& name,
                                std::string const& target) {
    TRY_OK(check_project_name(name));
    TRY(auto const root, context.root());
    TRY_OK(context.check_target(target));
    fs::path folder = parent / name;
    auto const taken = [&] {
        return failure(
            ErrorCode::exists,
            fmt::format("{} exists already and is left as it is; choose another name or move it away",
                        folder.string()));
    };
    if (fs::exists(fs::symlink_status(folder))) {
        return taken();
    }
    std::string pattern = (parent / fmt::format(".{}.XXXXXX", name)).string();
    if (mkdtemp(pattern.data()) == nullptr) {
        return std::unexpected(
            error_from_errno(errno, fmt::format("no project can be made in {}", parent.string())));
    }
    HalfMade half_made(pattern);
    TRY_OK(copy_filled(root / "templates" / "application", half_made.path(), {name, target}));
    fs::permissions(half_made.path(), fs::perms(0755));
    if (renameat2(AT_FDCWD, half_made.path().c_str(), AT_FDCWD, folder.c_str(), RENAME_NOREPLACE) != 0) {
        if (errno == EEXIST) {
            return taken();
        }
        return std::unexpected(error_from_errno(errno, folder.string()));
    }
    half_made.keep();
    return folder;
}

} // namespace sinew::tooling
