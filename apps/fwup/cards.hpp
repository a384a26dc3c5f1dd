/// Memory cards of this machine, and unmounting a disk before it is written.
///
/// Threading: free functions that ask the kernel.
#pragma once

#include <sinew/base/result.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sinew::fwup {

struct Card {
    std::string path;
    std::uint64_t size_bytes = 0;
};

/// Removable disks with a medium in them; never the disk that "/" is on.
[[nodiscard]] std::vector<Card> find_cards();

/// Unmounts everything that is mounted from the block special file `disk`, except "/". Error unavailable:
/// something is in use.
[[nodiscard]] Result<> unmount_disk(std::filesystem::path const& disk);

/// Asks the drive of `disk` to eject its medium. One that can't stays as it is, and so does a file.
void eject_disk(std::filesystem::path const& disk);

} // namespace sinew::fwup
