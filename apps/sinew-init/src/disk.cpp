/// Implements the search of disk.hpp.
///
/// Invariant: a device that can't be read is passed over; it may be there the next time.
#include "disk.hpp"

#include "device_events.hpp"
#include "mbr.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::init {
namespace {

namespace fs = std::filesystem;

// Some media announce themselves before they can be read: look again this often even without an event.
constexpr Duration longest_wait = std::chrono::milliseconds(500);

constexpr std::array<std::string_view, 8> never_a_system_disk{"loop", "ram", "zram", "fd",
                                                              "sr",   "dm-", "md",   "mtdblock"};

std::vector<std::string> names_in(fs::path const& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        names.push_back(entry->path().filename().string());
    }
    std::ranges::sort(names);
    return names;
}

std::vector<std::string> disk_names(fs::path const& sys_block) {
    auto names = names_in(sys_block);
    std::erase_if(names, [](std::string const& name) {
        return std::ranges::any_of(never_a_system_disk,
                                   [&](auto prefix) { return name.starts_with(prefix); });
    });
    return names;
}

bool has_signature(fs::path const& device, std::uint32_t signature) {
    auto const file = open_file(device, O_RDONLY);
    std::array<std::byte, mbr_bytes> sector{};
    if (!file || !read_exactly_at(*file, sector, 0)) {
        return false;
    }
    auto const found = parse_disk_signature(sector);
    return found && *found == signature;
}

std::map<int, std::string> partitions_of(fs::path const& sys_disk) {
    std::map<int, std::string> partitions;
    for (auto const& name : names_in(sys_disk)) {
        auto const text = read_text_file(sys_disk / name / "partition", 64);
        if (auto const number = text ? parse_number<int>(trim(*text)) : std::nullopt) {
            partitions.emplace(*number, name);
        }
    }
    return partitions;
}

std::string describe_missing(std::optional<Disk> const& disk, std::vector<int> const& numbers,
                             BlockDevicePaths const& paths) {
    std::string text;
    if (disk) {
        text = "disk " + disk->name + " lacks partition";
        for (int const number : numbers) {
            text += disk->partitions.contains(number) ? "" : " " + std::to_string(number);
        }
        return text + "; the image on it is damaged or of another layout";
    }
    text = "no disk carries this firmware's signature; disks seen:";
    auto const names = disk_names(paths.sys_block);
    for (auto const& name : names) {
        text += " " + name;
    }
    return text + (names.empty() ? " none (is the driver among early_modules?)" : "");
}

} // namespace

std::optional<Disk> find_disk(BlockDevicePaths const& paths, std::uint32_t signature) {
    std::optional<Disk> found;
    for (auto const& name : disk_names(paths.sys_block)) {
        if (!has_signature(paths.dev / name, signature)) {
            continue;
        }
        if (found) {
            found->ambiguous = true;
            break;
        }
        found = Disk{.name = name, .partitions = partitions_of(paths.sys_block / name)};
    }
    return found;
}

Result<Disk> wait_for_disk(BlockDevicePaths const& paths, std::uint32_t signature,
                           std::vector<int> const& numbers, DeviceEvents& events, Clock const& clock,
                           Duration at_most) {
    auto const deadline = clock.now() + at_most;
    while (true) {
        auto disk = find_disk(paths, signature);
        auto const is_there = [&](int number) { return disk->partitions.contains(number); };
        if (disk && std::ranges::all_of(numbers, is_there)) {
            return std::move(*disk);
        }
        auto const left = deadline - clock.now();
        if (left <= Duration::zero()) {
            return failure(ErrorCode::timed_out, describe_missing(disk, numbers, paths));
        }
        events.wait(std::min(left, longest_wait));
    }
}

Result<> link_disk(fs::path const& dev, Disk const& disk) {
    std::vector<std::pair<std::string, std::string>> links{{"rootdisk0", disk.name}};
    for (auto const& [number, name] : disk.partitions) {
        links.emplace_back("rootdisk0p" + std::to_string(number), name);
    }
    for (auto const& [link, target] : links) {
        auto const path = dev / link;
        (void)::unlink(path.c_str());
        std::error_code error;
        fs::create_symlink(target, path, error);
        if (error) {
            return std::unexpected(error_from_errno(error.value(), "can't link " + path.string()));
        }
    }
    return {};
}

} // namespace sinew::init
