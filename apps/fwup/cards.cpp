#include "cards.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/running_system.hpp>

#include <fcntl.h>
#include <linux/cdrom.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace sinew::fwup {

namespace {

std::uint64_t read_number(std::filesystem::path const& path) {
    auto const text = read_text_file(path, 64);
    std::uint64_t value = 0;
    if (text) {
        std::from_chars(text->data(), text->data() + text->size(), value);
    }
    return value;
}

std::optional<std::uint64_t> device_number(std::filesystem::path const& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0 || !S_ISBLK(status.st_mode)) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(status.st_rdev);
}

/// The octal escapes of /proc/self/mounts taken back.
std::string unescape(std::string const& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        int value = 0;
        if (text[i] == '\\' && i + 3 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 4, value, 8).ec == std::errc()) {
            out.push_back(static_cast<char>(value));
            i += 3;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

} // namespace

std::vector<Card> find_cards() {
    firmware::KernelRunningSystem const system;
    auto const root = system.mount_source("/");
    std::vector<Card> cards;
    std::error_code error;
    for (auto const& entry : std::filesystem::directory_iterator("/sys/block", error)) {
        auto const name = entry.path().filename().string();
        bool const is_card = read_number(entry.path() / "removable") == 1 ||
                             (name.starts_with("mmcblk") && !name.contains("boot") && !name.contains("rpmb"));
        auto const size = read_number(entry.path() / "size") * firmware::block_size_bytes;
        auto const number = device_number("/dev/" + name);
        if (is_card && size > 0 && number && !name.starts_with("sr") && !name.starts_with("loop") &&
            !(root && root->disk_number == *number)) {
            cards.push_back({"/dev/" + name, size});
        }
    }
    return cards;
}

Result<> unmount_disk(std::filesystem::path const& disk) {
    auto const number = device_number(disk);
    auto const mounts = read_text_file("/proc/self/mounts");
    if (!number || !mounts) {
        return {};
    }
    firmware::KernelRunningSystem const system;
    std::istringstream lines(*mounts);
    std::vector<std::string> points;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string source;
        std::string point;
        fields >> source >> point;
        point = unescape(point);
        auto const from = system.mount_source(point);
        if (point != "/" && from && (from->disk_number == *number || from->partition_number == *number)) {
            points.push_back(point);
        }
    }
    for (auto point = points.rbegin(); point != points.rend(); ++point) {
        if (::umount2(point->c_str(), 0) != 0) {
            return failure(ErrorCode::unavailable,
                           "can't unmount " + *point + ", which is on " + disk.string() + ": " +
                               std::error_code(errno, std::generic_category()).message() +
                               "; close what uses it, or leave it mounted with -U");
        }
    }
    return {};
}

void eject_disk(std::filesystem::path const& disk) {
    if (!device_number(disk)) {
        return;
    }
    if (auto const file = open_file(disk, O_RDONLY | O_NONBLOCK)) {
        (void)::ioctl(file->get(), CDROMEJECT);
    }
}

} // namespace sinew::fwup
