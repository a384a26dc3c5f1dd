/// Reads an update script for create: variables, includes, boot code, and all checks that need no resource's
/// content.
///
/// Threading: free functions.
#pragma once

#include "create/host_file.hpp"
#include "script/config.hpp"
#include "script/parser.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/create.hpp>

#include <string>
#include <string_view>

namespace sinew::firmware {

struct LoadedScript {
    Script script;
    Section config;
};

/// Errors: see create_archive().
[[nodiscard]] Result<LoadedScript> load_script(CreateOptions const& options);

/// The files or text of a file-resource section. Error invalid_argument: none, or both.
[[nodiscard]] Result<ResourceSource> resource_source(Script const& script, Section const& resource);

} // namespace sinew::firmware
