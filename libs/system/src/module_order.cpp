/// Ordering modules by depth-first search.
#include "module_order.hpp"

#include "elf_file.hpp"
#include "tree.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/system/device_files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::system {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view module_suffix = ".ko";

class Sorter {
public:
    explicit Sorter(ModuleCatalogue& catalogue)
        : m_catalogue(catalogue) {}

    /// Appends `name` and what it needs to `order`.
    Result<> visit(std::string const& name, std::string const& asked_by, std::vector<std::string>& order) {
        auto const key = module_key(name);
        if (m_done.contains(key) || m_catalogue.is_built_in(key)) {
            return {};
        }
        if (!m_open.insert(key).second) {
            return failure(ErrorCode::corrupt,
                           fmt::format("kernel module {} depends on itself through {}", name, asked_by));
        }
        auto const found = m_catalogue.find(key);
        if (!found) {
            return failure(found.error().code(), fmt::format("kernel module {} (for {}): {}", name, asked_by,
                                                             found.error().message()));
        }
        for (auto const& needed : found->depends) {
            TRY_OK(visit(needed, name, order));
        }
        m_open.erase(key);
        m_done.insert(key);
        order.push_back(found->file.stem().string());
        return {};
    }

private:
    ModuleCatalogue& m_catalogue;
    std::set<std::string> m_open;
    std::set<std::string> m_done;
};

} // namespace

std::string module_key(std::string_view name) {
    std::string key(name);
    std::ranges::replace(key, '-', '_');
    return key;
}

std::vector<std::string> split_depends(std::string_view depends) {
    auto const names = split_nonempty(depends, ',');
    return {names.begin(), names.end()};
}

Result<ModuleFolder> ModuleFolder::open(fs::path const& folder) {
    ModuleFolder modules;
    TRY(auto const files, list_files(folder));
    for (auto const& file : files) {
        if (file.extension() == module_suffix) {
            modules.m_files[module_key(file.stem().string())] = folder / file;
        }
    }
    // Lines such as "kernel/fs/binfmt_script.ko".
    TRY(auto const built_in, read_text_file(folder / "modules.builtin"));
    for (std::size_t at = 0; at < built_in.size();) {
        auto const end = std::min(built_in.find('\n', at), built_in.size());
        modules.m_built_in.insert(module_key(fs::path(built_in.substr(at, end - at)).stem().string()));
        at = end + 1;
    }
    return modules;
}

Result<ModuleInfo> ModuleFolder::find(std::string const& key) {
    auto const found = m_files.find(key);
    if (found == m_files.end()) {
        return failure(ErrorCode::not_found, "this kernel has no such module; check the name in system.toml");
    }
    TRY(auto const bytes, read_file(found->second));
    auto notes = parse_module_notes(bytes);
    if (!notes) {
        return std::unexpected(std::move(notes).error().with_context(found->second.string()));
    }
    ModuleInfo info{.file = found->second, .depends = {}};
    for (auto const& [name, value] : *notes) {
        if (name == "depends") {
            info.depends = split_depends(value);
        }
    }
    return info;
}

Result<ModuleOrder> order_modules(ModuleCatalogue& catalogue, std::vector<std::string> const& early,
                                  std::vector<std::string> const& late) {
    Sorter sorter(catalogue);
    ModuleOrder order;
    for (auto const& name : early) {
        TRY_OK(sorter.visit(name, "kernel.early_modules", order.early));
    }
    for (auto const& name : late) {
        TRY_OK(sorter.visit(name, "kernel.modules", order.late));
    }
    return order;
}

} // namespace sinew::system
