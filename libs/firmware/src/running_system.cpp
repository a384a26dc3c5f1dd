/// Asks the kernel, through stat(2) and sysfs.
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/running_system.hpp>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr int deepest_layer = 3;

std::optional<std::uint64_t> read_number(std::filesystem::path const& path) {
    auto const text = read_text_file(path, 64);
    std::uint64_t value = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc()) {
        return std::nullopt;
    }
    return value;
}

std::optional<unsigned> parse_number(std::string_view text) {
    unsigned number = 0;
    auto const result = std::from_chars(text.data(), text.data() + text.size(), number);
    return result.ec == std::errc() ? std::optional(number) : std::nullopt;
}

/// "8:1" as a device number.
std::optional<std::uint64_t> parse_device(std::string_view text) {
    auto const colon = text.find(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    auto const number_major = parse_number(text.substr(0, colon));
    auto const number_minor = parse_number(text.substr(colon + 1));
    if (!number_major || !number_minor) {
        return std::nullopt;
    }
    return makedev(*number_major, *number_minor);
}

std::optional<std::uint64_t> read_device(std::filesystem::path const& path) {
    auto const text = read_text_file(path, 64);
    return text ? parse_device(*text) : std::nullopt;
}

/// `kind`: "block" or "char".
std::filesystem::path sysfs_folder(std::filesystem::path const& sysfs, char const* kind,
                                   std::uint64_t device) {
    return sysfs / "dev" / kind / (std::to_string(major(device)) + ":" + std::to_string(minor(device)));
}

/// The devices below `device` if it is a layer (device-mapper).
std::vector<std::uint64_t> layers_below(std::filesystem::path const& sysfs, std::uint64_t device) {
    std::error_code error;
    std::vector<std::uint64_t> below;
    for (auto const& slave :
         std::filesystem::directory_iterator(sysfs_folder(sysfs, "block", device) / "slaves", error)) {
        if (auto const number = read_device(slave.path() / "dev")) {
            below.push_back(*number);
        }
    }
    return below;
}

/// Whether `device` is `wanted`, or a layer that lies on it among others, at most `layers` deep.
bool lies_on(std::filesystem::path const& sysfs, std::uint64_t device, std::uint64_t wanted, int layers) {
    if (device == wanted) {
        return true;
    }
    if (layers == 0) {
        return false;
    }
    return std::ranges::any_of(layers_below(sysfs, device), [&](std::uint64_t below) {
        return lies_on(sysfs, below, wanted, layers - 1);
    });
}

std::optional<std::uint64_t> device_of(std::filesystem::path const& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(status.st_dev);
}

} // namespace

Result<MountSource> KernelRunningSystem::mount_source(std::filesystem::path const& path) const {
    auto device = device_of(path);
    if (!device) {
        return failure(ErrorCode::not_found, path.string() + ": doesn't exist");
    }
    for (int layer = 0; layer < deepest_layer; ++layer) {
        auto const below = layers_below(m_sysfs, *device);
        if (below.size() != 1) {
            break; // none, or several: then no one place on one disk
        }
        device = below.front();
    }
    auto const folder = sysfs_folder(m_sysfs, "block", *device);
    auto const sectors = read_number(folder / "size");
    if (!sectors) {
        return failure(ErrorCode::not_found, path.string() + ": isn't mounted from a disk");
    }
    MountSource source;
    source.partition_number = *device;
    source.disk_number = *device;
    source.block_count = *sectors;
    // A partition has "start", and its folder lies in that of its disk.
    if (auto const start = read_number(folder / "start")) {
        source.start_block = *start;
        std::error_code error;
        auto const real = std::filesystem::canonical(folder, error);
        if (!error) {
            source.disk_number = read_device(real.parent_path() / "dev").value_or(*device);
        }
    }
    return source;
}

bool KernelRunningSystem::is_path_on_device(std::filesystem::path const& path,
                                            std::filesystem::path const& device) const {
    struct stat status{};
    auto const mounted = device_of(path);
    if (!mounted || ::stat(device.c_str(), &status) != 0 || !S_ISBLK(status.st_mode)) {
        return false;
    }
    return lies_on(m_sysfs, *mounted, static_cast<std::uint64_t>(status.st_rdev), deepest_layer);
}

std::optional<std::uint64_t>
KernelRunningSystem::ubi_volume_bytes(std::filesystem::path const& volume) const {
    struct stat status{};
    if (::stat(volume.c_str(), &status) != 0 || !S_ISCHR(status.st_mode)) {
        return std::nullopt;
    }
    auto const folder = sysfs_folder(m_sysfs, "char", static_cast<std::uint64_t>(status.st_rdev));
    auto const blocks = read_number(folder / "reserved_ebs");
    auto const block_bytes = read_number(folder / "usable_eb_size");
    return blocks && block_bytes ? std::optional(*blocks * *block_bytes) : std::nullopt;
}

} // namespace sinew::firmware
