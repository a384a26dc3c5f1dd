/// Writes cpio archives in the kernel's format ("newc"): initramfs, and GRUB's memory disk.
///
/// Invariant: the same entries give the same bytes: root owns everything, inode numbers count up, times are
/// the given one.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace sinew::system {

class CpioArchive {
public:
    /// `modified` in seconds since 1970, for every entry.
    explicit CpioArchive(std::uint32_t modified)
        : m_modified(modified) {}

    /// A file; the folders on its way are added (0755). Paths have no leading slash.
    void add_file(std::string const& path, BytesView content, std::uint32_t mode);
    void add_folder(std::string const& path, std::uint32_t mode);
    /// A character device, e.g. dev/console 5:1. Needs no privilege here.
    void add_device(std::string const& path, std::uint32_t mode, std::uint32_t major, std::uint32_t minor);
    void add_link(std::string const& path, std::string_view target);
    /// Ends the archive. It can't be added to afterwards.
    [[nodiscard]] Bytes finish() &&;

private:
    struct Device {
        std::uint32_t major = 0;
        std::uint32_t minor = 0;
    };
    void add_parents(std::string const& path);
    void add_entry(std::string const& path, BytesView content, std::uint32_t mode, Device device);
    void append(std::string_view text);
    void pad();

    Bytes m_bytes;
    std::set<std::string> m_folders;
    std::uint32_t m_modified;
    std::uint32_t m_next_inode = 1;
};

} // namespace sinew::system
