/// Project templates: templates/application, copied with the project's own names put in.
///
/// In a template's text @NAME@ is the project's name, @NAMESPACE@ the C++ namespace (sensor_node_app) and @TYPE@ the
/// type (SensorNodeApplication) that are made of it, @TITLE@ its name for people (Sensor node) and @TARGET@ the
/// target. Where C++ reads a word, the name never stands alone: it may be a keyword, or what a system's header
/// declares or defines as a macro. A file or folder called "NAME" is renamed too; "gitignore"
/// becomes ".gitignore" and "gitkeep" ".gitkeep".
#pragma once

#include <sinew/base/result.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace sinew::tooling {

class Context;

struct TemplateValues {
    std::string name;
    std::string target;
};

/// `text` with every placeholder replaced. Error corrupt: an @WORD@ that is no placeholder.
[[nodiscard]] Result<std::string> fill_template(std::string_view text, TemplateValues const& values);

/// Makes the project `name` in `parent` and returns its folder. It is made in a hidden folder beside and
/// renamed in one step, so an interruption never leaves half a project under its name. Errors:
/// invalid_argument: the name or target is no good; exists: something of that name is there.
[[nodiscard]] Result<std::filesystem::path> create_project(Context const& context,
                                                           std::filesystem::path const& parent,
                                                           std::string const& name,
                                                           std::string const& target);

} // namespace sinew::tooling
