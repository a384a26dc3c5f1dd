/// The newc writer: a 110-byte header in hexadecimal text, the name, the content, each padded to 4 bytes.
///
/// Invariant: m_bytes is always a whole number of entries.
#include "cpio.hpp"

#include <sinew/base/bytes.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::system {

void CpioArchive::append(std::string_view text) {
    auto const bytes = as_bytes(text);
    m_bytes.insert(m_bytes.end(), bytes.begin(), bytes.end());
}

void CpioArchive::pad() {
    m_bytes.resize((m_bytes.size() + 3) / 4 * 4);
}

void CpioArchive::add_parents(std::string const& path) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        add_folder(path.substr(0, slash), 0755);
    }
}

void CpioArchive::add_entry(std::string const& path, BytesView content, std::uint32_t mode, Device device) {
    assert(!path.empty() && path.front() != '/' &&
           content.size() <= std::numeric_limits<std::uint32_t>::max());
    std::uint32_t const links = (mode & S_IFMT) == S_IFDIR ? 2 : 1;
    append(fmt::format("070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}",
                       m_next_inode++, mode, 0, 0, links, m_modified, content.size(), 0, 0, device.major,
                       device.minor, path.size() + 1, 0));
    append(path);
    m_bytes.push_back(std::byte{0});
    pad();
    m_bytes.insert(m_bytes.end(), content.begin(), content.end());
    pad();
}

void CpioArchive::add_file(std::string const& path, BytesView content, std::uint32_t mode) {
    add_parents(path);
    add_entry(path, content, S_IFREG | (mode & 07777), {});
}

void CpioArchive::add_folder(std::string const& path, std::uint32_t mode) {
    if (m_folders.contains(path)) {
        return;
    }
    add_parents(path);
    m_folders.insert(path);
    add_entry(path, {}, S_IFDIR | (mode & 07777), {});
}

void CpioArchive::add_device(std::string const& path, std::uint32_t mode, std::uint32_t major,
                             std::uint32_t minor) {
    add_parents(path);
    add_entry(path, {}, S_IFCHR | (mode & 07777), {major, minor});
}

void CpioArchive::add_link(std::string const& path, std::string_view target) {
    add_parents(path);
    add_entry(path, as_bytes(target), S_IFLNK | 0777, {});
}

Bytes CpioArchive::finish() && {
    m_modified = 0;
    m_next_inode = 0;
    add_entry("TRAILER!!!", {}, 0, {});
    m_bytes.resize((m_bytes.size() + 511) / 512 * 512);
    return std::move(m_bytes);
}

} // namespace sinew::system
