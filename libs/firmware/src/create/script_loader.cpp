#include "create/script_loader.hpp"

#include "archive/archive_head.hpp"
#include "create/host_file.hpp"
#include "disk/gpt.hpp"
#include "disk/mbr.hpp"
#include "functions/conditions.hpp"
#include "functions/environment.hpp"
#include "functions/function.hpp"
#include "script/config.hpp"
#include "script/parser.hpp"
#include "script/variables.hpp"
#include "script/version.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/create.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr std::size_t bootstrap_size = 440;
constexpr std::size_t largest_script = 4u << 20;

std::filesystem::path folder_at(Script const& script, Position const& position) {
    return script.folders[static_cast<std::size_t>(position.file)];
}

std::vector<std::filesystem::path> split_host_path(std::filesystem::path const& folder,
                                                   std::string_view value) {
    std::vector<std::filesystem::path> files;
    while (!value.empty()) {
        auto const semicolon = std::min(value.find(';'), value.size());
        if (semicolon > 0) {
            files.push_back(folder / std::filesystem::path(value.substr(0, semicolon)));
        }
        value.remove_prefix(std::min(semicolon + 1, value.size()));
    }
    return files;
}

/// FWUP_SIZE_<resource>: usable in what follows the section.
Result<> set_size_variable(Variables& variables, Script const& script, Statement const& section) {
    if (section.name != "file-resource" || !section.title) {
        return {};
    }
    for (auto const& option : section.body) {
        if (option.name != "host-path" || option.values.size() != 1) {
            continue;
        }
        std::uint64_t total = 0;
        for (auto const& file : split_host_path(folder_at(script, option.position), option.values[0])) {
            std::error_code error;
            auto const size = std::filesystem::file_size(file, error);
            if (error) {
                return {}; // reported with its place when the resource is read
            }
            total += size;
        }
        auto name = "FWUP_SIZE_" + *section.title;
        std::ranges::replace_if(name, [](char c) { return c == '-' || c == '/' || c == '.'; }, '_');
        variables.set(std::move(name), std::to_string(total));
    }
    return {};
}

Result<> load_boot_code(Script const& script, Section& mbr) {
    auto const* const option = mbr.find_option("bootstrap-code-host-path");
    if (option == nullptr || !mbr.text("bootstrap-code").empty()) {
        return {};
    }
    auto const path = folder_at(script, option->position) / std::filesystem::path(option->values.front());
    constexpr std::size_t largest = 1u << 20;
    auto const content = read_file(path, largest);
    if (!content) {
        return script.fail(option->position, content.error().message());
    }
    if (content->size() != bootstrap_size) {
        return script.fail(option->position, path.string() +
                                                 " must be exactly 440 bytes of boot code, but has " +
                                                 std::to_string(content->size()));
    }
    mbr.set("bootstrap-code", {to_hex(*content)});
    return {};
}

template<typename T>
Result<> at_position(Script const& script, Position const& position, Result<T> const& result) {
    return result ? Result<>{} : script.fail(position, result.error().message());
}

Result<> check_resources(Script const& script, Section const& config) {
    for (auto const& section : config.sections) {
        if (section.schema->name == "file-resource") {
            TRY_OK(at_position(script, section.position, resource_path(section.title)));
            TRY_OK(resource_source(script, section));
        }
    }
    return {};
}

/// What the language calls boot = true is a bit among the flags in meta.conf.
void fold_boot_flags(Section& gpt) {
    for (auto& partition : gpt.sections) {
        if (!partition.boolean("boot")) {
            continue;
        }
        if (auto flags = gpt_flags_with_boot(partition.text("flags"))) {
            partition.set("flags", {*std::move(flags)});
        }
    }
}

Result<> check_partition_table(Script const& script, Section& table) {
    if (table.schema->name == "mbr") {
        TRY_OK(load_boot_code(script, table));
        auto const spec = mbr_spec(table);
        TRY_OK(at_position(script, table.position, spec));
        return at_position(script, table.position, encode_mbr(*spec, std::nullopt));
    }
    TRY_OK(at_position(script, table.position, gpt_spec(table)));
    fold_boot_flags(table);
    return {};
}

/// What a call names must be there.
Result<> check_call(Script const& script, Section const& config, Call const& call) {
    auto const kind = call.condition != nullptr ? call.condition->form.section : call.function->form.section;
    if (kind.empty() || call.words[1].contains("${") || config.find_section(kind, call.words[1]) != nullptr) {
        return {};
    }
    return script.fail(call.position,
                       "there is no " + std::string(kind) + " section named '" + call.words[1] + "'");
}

Result<> check_tasks(Script const& script, Section const& config) {
    for (auto const& task : config.sections) {
        if (task.schema->name != "task") {
            continue;
        }
        for (auto const& condition : task.calls) {
            TRY_OK(check_call(script, config, condition));
        }
        for (auto const& event : task.sections) {
            if (event.schema->name == "on-resource" &&
                config.find_section("file-resource", event.title) == nullptr) {
                return script.fail(event.position, "there is no file-resource '" + event.title + "'");
            }
            for (auto const& call : event.calls) {
                TRY_OK(check_call(script, config, call));
            }
        }
    }
    return {};
}

Result<> check_config(Script const& script, Section& config) {
    if (auto const* const required = config.find_option("require-fwup-version")) {
        TRY_OK(at_position(script, required->position, check_required_version(required->values.front())));
    }
    TRY_OK(check_resources(script, config));
    for (auto& section : config.sections) {
        if (section.schema->name == "mbr" || section.schema->name == "gpt") {
            TRY_OK(check_partition_table(script, section));
        } else if (section.schema->name == "uboot-environment") {
            TRY_OK(at_position(script, section.position, environment_layout(config, section.title)));
        }
    }
    return check_tasks(script, config);
}

/// They can only be known on the device.
constexpr std::array<std::string_view, 2> computed_variables{"FWUP_META_UUID", "FWUP_META_NICKNAME"};

std::string as_reference(std::string_view variable) {
    return "${" + std::string(variable) + "}";
}

Result<> check_computed_variables(Variables const& variables, std::string const& script) {
    for (auto const name : computed_variables) {
        if (variables.get(name) != as_reference(name)) {
            return failure(ErrorCode::invalid_argument,
                           script + ": " + std::string(name) +
                               " can't be defined: it follows from the content of the archive; take another "
                               "name");
        }
    }
    return {};
}

} // namespace

Result<ResourceSource> resource_source(Script const& script, Section const& resource) {
    auto const* const path = resource.find_option("host-path");
    auto const* const contents = resource.find_option("contents");
    if ((path == nullptr) == (contents == nullptr)) {
        return script.fail(resource.position, "file-resource '" + resource.title +
                                                  "' needs either host-path or contents" +
                                                  (path == nullptr ? "" : ", not both"));
    }
    ResourceSource source;
    source.skip_holes = resource.boolean("skip-holes");
    if (contents != nullptr) {
        source.contents = resource.text("contents");
        return source;
    }
    source.files = split_host_path(folder_at(script, path->position), resource.text("host-path"));
    if (source.files.empty()) {
        return script.fail(path->position, "host-path names no file");
    }
    for (auto const& file : source.files) {
        std::error_code error;
        if (!std::filesystem::exists(file, error)) {
            return failure(
                ErrorCode::not_found,
                script.fail(path->position, file.string() + " doesn't exist; build or fetch it first")
                    .error()
                    .message());
        }
    }
    return source;
}

Result<LoadedScript> load_script(CreateOptions const& options) {
    std::string text;
    if (options.script_text) {
        text = *options.script_text;
    } else {
        TRY(text, read_text_file(options.script, largest_script));
    }
    auto const environment = options.process_environment == ProcessEnvironment::used
                                 ? Variables::Environment::used
                                 : Variables::Environment::ignored;
    Variables variables(options.variables, environment);
    for (auto const name : computed_variables) {
        variables.set(std::string(name), as_reference(name)); // what was meant if the backslash is forgotten
    }
    ParseOptions parse_options;
    parse_options.directives = Directives::followed;
    parse_options.on_section = [&](Script const& script, Statement const& section) {
        return set_size_variable(variables, script, section);
    };
    parse_options.on_warning = options.on_warning;
    LoadedScript loaded;
    TRY(loaded.script, parse_script(text, options.script, variables, parse_options));
    TRY_OK(check_computed_variables(variables, options.script.string()));
    TRY(loaded.config, build_config(loaded.script, Unknown::refused));
    TRY_OK(check_config(loaded.script, loaded.config));
    return loaded;
}

} // namespace sinew::firmware
