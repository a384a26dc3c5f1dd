/// The mark that allows a data partition to be formatted: written by the tasks `complete` and `factory-reset`,
/// looked for by PID 1.
///
/// It fills the partition's first block, which no ext4 file system uses, and is gone once there is one. Only
/// whoever decides that nothing in the partition counts may write it. Threading: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sinew::device {

inline constexpr std::size_t data_mark_bytes = 512;
inline constexpr std::string_view data_mark_text =
    "sinew: nothing in this partition counts; the next start makes a file system here\n";

/// The whole block.
[[nodiscard]] inline std::string data_mark() {
    std::string block(data_mark_text);
    block.resize(data_mark_bytes, '#');
    return block;
}

} // namespace sinew::device
