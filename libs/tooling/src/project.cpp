// Finding a project and reading its sinew.toml. See project.hpp.
#include <sinew/base/file.hpp>
#include <sinew/tooling/context.hpp>
#include <sinew/tooling/project.hpp>

#include <fmt/core.h>

#include <optional>
#include <system_error>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t longest_config = 1u << 20;

std::optional<fs::path> folder_with_config(fs::path const& start) {
    std::error_code problem;
    fs::path folder = fs::absolute(start, problem).lexically_normal();
    while (!problem) {
        if (fs::exists(folder / "sinew.toml", problem)) {
            return folder;
        }
        if (folder == folder.parent_path()) {
            break;
        }
        folder = folder.parent_path();
    }
    return std::nullopt;
}

/// `file:line: key: what` for a rule that the text's own types can't express.
Error located(fs::path const& file, Value const& tree, std::string_view key, Error error) {
    Value const* const member = tree.find(key);
    return std::move(error).with_context(
        fmt::format("{}:{}: {}", file.string(), member == nullptr ? 1 : member->line(), key));
}

Result<> must_be_table(fs::path const& file, Value const& tree, std::string_view key) {
    Value const* const member = tree.find(key);
    if (member != nullptr && member->get_if<Value::Object>() == nullptr) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("{}:{}: {}: expected a table, found {}", file.string(), member->line(),
                                   key, member->type_name()));
    }
    return {};
}

} // namespace

Result<Project> Project::load(Context const& context, fs::path const& start) {
    auto const folder = folder_with_config(start);
    if (!folder) {
        return failure(
            ErrorCode::not_found,
            fmt::format("no sinew.toml in {} or above: this is not a Sinew project; go into one, or make one "
                        "with `sinew new NAME`",
                        fs::absolute(start).lexically_normal().string()));
    }
    fs::path const file = *folder / "sinew.toml";
    TRY(auto const text, read_text_file(file, longest_config));
    TRY(auto const tree, parse_toml(text, file.string()));
    TRY(auto config, decode<ProjectConfig>(tree, file.string()));
    if (auto good = check_project_name(config.name); !good) {
        return std::unexpected(located(file, tree, "name", std::move(good).error()));
    }
    if (auto good = check_version(config.version); !good) {
        return std::unexpected(located(file, tree, "version", std::move(good).error()));
    }
    if (auto good = context.check_target(config.target); !good) {
        return std::unexpected(located(file, tree, "target", std::move(good).error()));
    }
    TRY_OK(must_be_table(file, tree, "device"));
    TRY_OK(must_be_table(file, tree, "init"));
    return Project(*folder, std::move(config));
}

} // namespace sinew::tooling
