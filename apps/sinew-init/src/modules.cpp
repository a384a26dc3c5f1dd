/// Implements the module loader.
///
/// Invariant: one bad module never keeps the others from being loaded.
#include "modules.hpp"

#include "kernel_command_line.hpp"
#include "log.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <fcntl.h>
#include <linux/module.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sinew::init {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> suffixes{".ko", ".ko.xz", ".ko.zst", ".ko.gz"};

/// finit_module(2) reuses errno values; these are what they mean there.
Error explain(int sys_errno, fs::path const& file) {
    auto const name = "module " + file.filename().string();
    switch (sys_errno) {
    case ENOENT:
        return {ErrorCode::not_found, name + ": a module it needs isn't loaded; list that before it",
                sys_errno};
    case ENOEXEC:
        return {ErrorCode::invalid_argument, name + " is made for another kernel", sys_errno};
    case ENODEV:
        return {ErrorCode::unavailable, name + ": this machine doesn't have the hardware", sys_errno};
    default:
        return error_from_errno(sys_errno, "can't load " + name);
    }
}

std::string_view without_suffix(std::string_view file_name) {
    for (auto const suffix : suffixes) {
        if (file_name.ends_with(suffix)) {
            return file_name.substr(0, file_name.size() - suffix.size());
        }
    }
    return {};
}

} // namespace

std::string module_key(std::string_view name) {
    std::string key(name);
    std::ranges::replace(key, '-', '_');
    return key;
}

std::map<std::string, fs::path> index_modules(fs::path const& folder) {
    std::map<std::string, fs::path> index;
    std::error_code error;
    fs::recursive_directory_iterator entry(folder, error);
    for (fs::recursive_directory_iterator const end; !error && entry != end; entry.increment(error)) {
        auto const file_name = entry->path().filename().string();
        if (auto const name = without_suffix(file_name); !name.empty()) {
            index.emplace(module_key(name), entry->path());
        }
    }
    return index;
}

Result<> load_module(fs::path const& file, std::string const& parameters) {
    TRY(auto const descriptor, open_file(file, O_RDONLY));
    int const flags = file.extension() == ".ko" ? 0 : MODULE_INIT_COMPRESSED_FILE;
    if (::syscall(SYS_finit_module, descriptor.get(), parameters.c_str(), flags) != 0 && errno != EEXIST) {
        return std::unexpected(explain(errno, file));
    }
    return {};
}

int load_modules(std::vector<std::string> const& names, fs::path const& folder,
                 std::string_view kernel_command_line, Log& log) {
    if (names.empty()) {
        return 0;
    }
    auto const index = index_modules(folder);
    int loaded = 0;
    for (auto const& name : names) {
        auto const found = index.find(module_key(name));
        if (found == index.end()) {
            log.warning("module " + name + " is listed but not below " + folder.string());
            continue;
        }
        if (auto result = load_module(found->second, module_parameters(kernel_command_line, name)); !result) {
            auto const expected = result.error().code() == ErrorCode::unavailable;
            log.write(expected ? Severity::info : Severity::warning, result.error().message());
            continue;
        }
        ++loaded;
    }
    return loaded;
}

} // namespace sinew::init
