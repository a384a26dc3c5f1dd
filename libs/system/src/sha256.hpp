/// SHA-256 of files and texts.
///
/// Invariant: files of any size are hashed in pieces. Pure functions; hash_file() blocks.
#pragma once

#include <sinew/base/result.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace sinew::system {

/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_text(std::string_view text);
[[nodiscard]] Result<std::string> sha256_file(std::filesystem::path const& path);

} // namespace sinew::system
