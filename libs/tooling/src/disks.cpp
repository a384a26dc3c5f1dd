// Reading /sys/block, /proc/self/mountinfo and /proc/swaps. See disks.hpp.
#include <sinew/base/file.hpp>
#include <sinew/base/text.hpp>
#include <sinew/tooling/console.hpp>
#include <sinew/tooling/disks.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>
#include <system_error>

namespace sinew::tooling {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t sector_bytes =
    512; // what /sys/block/*/size counts in, whatever the disk's own sectors are
constexpr auto no_disks =
    std::to_array<std::string_view>({"loop", "ram", "zram", "sr", "fd", "dm-", "md", "nbd"});
constexpr auto system_places =
    std::to_array<std::string_view>({"/", "/boot", "/boot/efi", "/usr", "/var", "/home"});
constexpr int deepest_layer = 8;

std::string first_line(fs::path const& file) {
    auto const text = read_text_file(file, 65536);
    if (!text) {
        return {};
    }
    std::string line = text->substr(0, text->find('\n'));
    line.erase(line.find_last_not_of(" \t") + 1);
    return line;
}

std::uint64_t number_in(fs::path const& file) {
    return parse_number<std::uint64_t>(first_line(file)).value_or(0);
}

/// "8:1" -> where it is mounted.
struct Mount {
    std::string device_number;
    std::string place;
};

std::vector<Mount> read_mounts(KernelFiles const& files) {
    std::vector<Mount> mounts;
    auto const text = read_text_file(files.procfs / "self" / "mountinfo");
    std::istringstream lines(text ? *text : std::string());
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string id;
        std::string parent;
        std::string number;
        std::string root;
        std::string place;
        if (words >> id >> parent >> number >> root >> place) {
            mounts.push_back({number, unescape_octal(place)});
        }
    }
    return mounts;
}

std::vector<std::string> read_swaps(KernelFiles const& files) {
    std::vector<std::string> devices;
    auto const text = read_text_file(files.procfs / "swaps");
    std::istringstream lines(text ? *text : std::string());
    std::string line;
    std::getline(lines, line); // the heading
    while (std::getline(lines, line)) {
        devices.push_back(fs::path(line.substr(0, line.find_first_of(" \t"))).filename().string());
    }
    return devices;
}

struct UseFinder {
    std::vector<Mount> mounts;
    std::vector<std::string> swaps;

    /// What `folder` (a disk, a partition, or a layer above one) and everything on it is used for.
    void collect(fs::path const& folder, std::vector<DiskUse>& uses, int depth = 0) const {
        std::string const name = folder.filename().string();
        std::string const number = first_line(folder / "dev");
        for (Mount const& mount : mounts) {
            if (!number.empty() && mount.device_number == number) {
                uses.push_back({mount.place, name});
            }
        }
        if (std::ranges::find(swaps, name) != swaps.end()) {
            uses.push_back({"swap", name});
        }
        if (depth == deepest_layer) {
            return;
        }
        std::error_code none;
        for (auto const& entry : fs::directory_iterator(folder, none)) {
            if (fs::exists(entry.path() / "partition", none)) {
                collect(entry.path(), uses, depth + 1);
            }
        }
        for (auto const& entry : fs::directory_iterator(folder / "holders", none)) {
            auto const layer = fs::canonical(entry.path(), none);
            collect(layer.empty() ? entry.path() : layer, uses, depth + 1);
        }
    }
};

bool is_removable(fs::path const& folder, std::string_view name) {
    std::error_code none;
    std::string const real = fs::canonical(folder, none).string();
    return number_in(folder / "removable") == 1 || real.contains("/usb") ||
           (name.starts_with("mmcblk") && first_line(folder / "device" / "type") != "MMC");
}

Disk read_disk(KernelFiles const& files, fs::path const& folder, UseFinder const& finder) {
    Disk disk;
    disk.name = folder.filename().string();
    disk.path = files.devices / disk.name;
    disk.size_bytes = number_in(folder / "size") * sector_bytes;
    std::string const maker = first_line(folder / "device" / "vendor");
    std::string const model = first_line(folder / "device" / "model");
    disk.model = maker.empty() || maker.starts_with("0x") ? model : maker + " " + model;
    if (disk.model.empty()) {
        disk.model = first_line(folder / "device" / "name");
    }
    disk.removable = is_removable(folder, disk.name);
    disk.read_only = number_in(folder / "ro") == 1;
    finder.collect(folder, disk.uses);
    disk.holds_system = std::ranges::any_of(disk.uses, [](DiskUse const& use) {
        return use.place == "swap" || std::ranges::find(system_places, use.place) != system_places.end();
    });
    return disk;
}

bool is_no_disk(std::string_view name) {
    // mmcblk0boot0 and the like are the controller's own areas.
    return std::ranges::any_of(no_disks, [&](std::string_view prefix) { return name.starts_with(prefix); }) ||
           (name.starts_with("mmcblk") && (name.contains("boot") || name.contains("rpmb")));
}

} // namespace

std::vector<Disk> list_disks(KernelFiles const& files) {
    UseFinder const finder{read_mounts(files), read_swaps(files)};
    std::vector<Disk> disks;
    std::error_code none;
    for (auto const& entry : fs::directory_iterator(files.sysfs / "block", none)) {
        if (!is_no_disk(entry.path().filename().string())) {
            Disk disk = read_disk(files, entry.path(), finder);
            if (disk.size_bytes > 0) {
                disks.push_back(std::move(disk));
            }
        }
    }
    std::ranges::sort(disks, {}, &Disk::name);
    return disks;
}

std::vector<Disk> burn_candidates(std::vector<Disk> const& disks) {
    std::vector<Disk> candidates;
    std::ranges::copy_if(disks, std::back_inserter(candidates),
                         [](Disk const& disk) { return disk.removable && check_burnable(disk).has_value(); });
    return candidates;
}

Result<> check_burnable(Disk const& disk) {
    std::string places;
    for (DiskUse const& use : disk.uses) {
        places += fmt::format("{}{} at {}", places.empty() ? "" : ", ", use.device, use.place);
    }
    if (disk.holds_system) {
        return failure(ErrorCode::denied,
                       fmt::format("{} holds the running system ({}) and is never overwritten",
                                   disk.path.string(), places));
    }
    if (!disk.uses.empty()) {
        return failure(ErrorCode::denied, fmt::format("{} is in use ({}); unmount it first, e.g. `umount {}`",
                                                      disk.path.string(), places, disk.uses.front().place));
    }
    if (disk.read_only) {
        return failure(
            ErrorCode::denied,
            fmt::format("{} can't be written; a card may have its lock switch set", disk.path.string()));
    }
    return {};
}

std::string describe(Disk const& disk) {
    return fmt::format("{}  {}  {}", disk.path.string(), format_size(disk.size_bytes),
                       disk.model.empty() ? "(unknown model)" : disk.model);
}

} // namespace sinew::tooling
