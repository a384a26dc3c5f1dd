/// The order in which kernel modules are loaded.
///
/// Debian's kernel packages come without modules.dep (it is made when they are installed), so the
/// dependencies are read from the modules themselves, as depmod does. Invariant: a module stands behind
/// everything it depends on, and once only.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/system/device_files.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::system {

/// A module's name as the kernel has it: '-' and '_' are the same letter.
[[nodiscard]] std::string module_key(std::string_view name);

/// What is known of one module file.
struct ModuleInfo {
    std::filesystem::path file{};
    /// Names of modules it can't be loaded without.
    std::vector<std::string> depends{};
};

/// The modules of one kernel, asked for one by one.
class ModuleCatalogue {
public:
    virtual ~ModuleCatalogue() = default;
    /// By module_key(). Errors: not_found; corrupt: an unreadable file.
    [[nodiscard]] virtual Result<ModuleInfo> find(std::string const& key) = 0;
    /// Built into the kernel: nothing to load.
    [[nodiscard]] virtual bool is_built_in(std::string const& key) const = 0;
};

/// lib/modules/RELEASE of an unpacked kernel package.
class ModuleFolder final : public ModuleCatalogue {
public:
    [[nodiscard]] static Result<ModuleFolder> open(std::filesystem::path const& folder);
    [[nodiscard]] Result<ModuleInfo> find(std::string const& key) override;
    [[nodiscard]] bool is_built_in(std::string const& key) const override { return m_built_in.contains(key); }

private:
    std::map<std::string, std::filesystem::path> m_files;
    std::set<std::string> m_built_in;
};

/// Puts `early`, then `late`, in the order of their loading, with all they depend on. What is already among
/// the early ones isn't repeated. Errors: not_found: no such module, or a dependency is missing, with who
/// asks for it; corrupt: modules that depend on each other in circles.
[[nodiscard]] Result<ModuleOrder> order_modules(ModuleCatalogue& catalogue,
                                                std::vector<std::string> const& early,
                                                std::vector<std::string> const& late);

/// The names in the notes of a module file: "virtio,virtio_ring" -> two.
[[nodiscard]] std::vector<std::string> split_depends(std::string_view depends);

} // namespace sinew::system
