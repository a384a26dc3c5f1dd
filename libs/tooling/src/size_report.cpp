// The size report of `sinew firmware`. See firmware_build.hpp.
#include <sinew/tooling/console.hpp>
#include <sinew/tooling/firmware_build.hpp>

#include <fmt/core.h>

#include <algorithm>

namespace sinew::tooling {

namespace {

constexpr std::size_t most_rootfs_parts = 12;
/// The boot state blocks and other few-byte resources are one line together.
constexpr std::uint64_t small_bytes = 4096;

std::string percent(std::uint64_t part, std::uint64_t whole) {
    return whole == 0
               ? ""
               : fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

} // namespace

std::vector<SizeLine> size_lines(firmware::CreateReport const& report) {
    std::vector<SizeLine> lines;
    SizeLine small{"scripts and boot state"};
    for (firmware::ResourceSize const& resource : report.resources) {
        if (resource.size_bytes < small_bytes) {
            small.size_bytes += resource.size_bytes;
            small.compressed_bytes += resource.compressed_bytes;
        } else {
            lines.push_back({resource.name, resource.size_bytes, resource.compressed_bytes});
        }
    }
    if (small.size_bytes > 0) {
        lines.push_back(std::move(small));
    }
    std::ranges::stable_sort(lines, std::greater<>(), &SizeLine::compressed_bytes);
    return lines;
}

std::string format_size_report(FirmwareBuild const& build) {
    auto const lines = size_lines(build.report);
    std::uint64_t const total = build.report.archive_bytes;
    std::string text = fmt::format("  {:<26} {:>10} {:>10} {:>8}\n", "part", "size", "in .fw", "share");
    std::uint64_t parts = 0;
    std::uint64_t sizes = 0;
    for (SizeLine const& line : lines) {
        text += fmt::format("  {:<26} {:>10} {:>10} {:>8}\n", line.name, format_size(line.size_bytes),
                            format_size(line.compressed_bytes), percent(line.compressed_bytes, total));
        parts += line.compressed_bytes;
        sizes += line.size_bytes;
    }
    std::uint64_t const container = total > parts ? total - parts : 0;
    text += fmt::format("  {:<26} {:>10} {:>10} {:>8}\n", "metadata and signature", "",
                        format_size(container), percent(container, total));
    text += fmt::format("  {:<26} {:>10} {:>10}\n", "total", format_size(sizes), format_size(total));
    if (build.rootfs_parts.empty()) {
        return text;
    }
    text += fmt::format("\n  {:<26} {:>10}\n", "in the root file system", "unpacked");
    std::uint64_t rest = 0;
    for (std::size_t i = 0; i < build.rootfs_parts.size(); ++i) {
        system::PartSize const& part = build.rootfs_parts[i];
        if (i < most_rootfs_parts) {
            text += fmt::format("  {:<26} {:>10}\n", part.name, format_size(part.size_bytes));
        } else {
            rest += part.size_bytes;
        }
    }
    if (rest > 0) {
        text += fmt::format("  {:<26} {:>10}\n", "everything else", format_size(rest));
    }
    return text;
}

} // namespace sinew::tooling
