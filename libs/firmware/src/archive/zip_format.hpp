/// The constants of the ZIP format that reader and writer share (APPNOTE.TXT 6.3, Info-ZIP's extra fields).
///
/// Threading: constants.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sinew::firmware::zip {

inline constexpr std::uint32_t local_header_mark = 0x04034b50;
inline constexpr std::uint32_t descriptor_mark = 0x08074b50;
inline constexpr std::uint32_t central_header_mark = 0x02014b50;
inline constexpr std::uint32_t end_mark = 0x06054b50;
inline constexpr std::uint32_t end64_mark = 0x06064b50;
inline constexpr std::uint32_t locator64_mark = 0x07064b50;

inline constexpr std::size_t local_header_size = 30;
inline constexpr std::size_t central_header_size = 46;
inline constexpr std::size_t end_size = 22;

inline constexpr std::uint16_t flag_encrypted = 1u << 0;
inline constexpr std::uint16_t flag_descriptor = 1u << 3;
inline constexpr std::uint16_t flag_utf8 = 1u << 11;

inline constexpr std::uint16_t method_stored = 0;
inline constexpr std::uint16_t method_deflate = 8;
inline constexpr std::uint16_t method_zstd = 93;

inline constexpr std::uint16_t extra_zip64 = 0x0001;
inline constexpr std::uint16_t extra_times = 0x5455;
inline constexpr std::uint16_t extra_owner = 0x7875;
/// Ours (archive/notes.hpp); readers that don't know it pass over it.
inline constexpr std::uint16_t extra_notes = 0x5753;

inline constexpr std::uint32_t size_in_extra = 0xFFFFFFFF;
/// 1980-01-01 00:00:00 as DOS date and time.
inline constexpr std::uint32_t dos_epoch = 0x00210000;
/// Longest name of an entry.
inline constexpr std::size_t longest_name = 511;

} // namespace sinew::firmware::zip
