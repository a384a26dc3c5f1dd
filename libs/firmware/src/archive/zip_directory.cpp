/// Reads the directory backwards from the end.
#include "archive/zip_directory.hpp"

#include "archive/zip_format.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sinew::firmware {

namespace {

constexpr std::uint64_t largest_directory = 4u << 20;
constexpr std::size_t largest_comment = 0xFFFF;

std::unexpected<Error> damaged() {
    return failure(ErrorCode::corrupt, "the archive's directory is damaged; get the file again");
}

struct End {
    std::uint32_t directory_bytes = 0;
    std::uint32_t directory_offset = 0;
    std::uint16_t entry_count = 0;
    /// Where the end mark is.
    std::uint64_t offset = 0;
};

Result<End> find_end(InputStream& input, std::uint64_t size) {
    auto const tail_bytes = std::min<std::uint64_t>(size, zip::end_size + largest_comment);
    Bytes tail(static_cast<std::size_t>(tail_bytes));
    TRY_OK(input.read_at(size - tail_bytes, tail));
    for (std::size_t left = tail.size(); left >= zip::end_size; --left) {
        auto const at = left - zip::end_size;
        if (load_le32(tail, at) == zip::end_mark && load_le16(tail, at + 20) == tail.size() - left) {
            return End{load_le32(tail, at + 12), load_le32(tail, at + 16), load_le16(tail, at + 10),
                       size - tail_bytes + at};
        }
    }
    return failure(ErrorCode::corrupt, "the archive is truncated: it has " + std::to_string(size) +
                                           " bytes and no end mark; get the whole file again");
}

} // namespace

Result<std::optional<std::vector<ZipDirectoryEntry>>> read_zip_directory(InputStream& input) {
    auto const size = input.size_bytes();
    if (!input.can_seek() || !size) {
        return std::nullopt;
    }
    TRY(auto const end, find_end(input, *size));
    if (end.directory_offset == zip::size_in_extra || end.entry_count == 0xFFFF ||
        end.directory_bytes > largest_directory) {
        return std::nullopt;
    }
    if (std::uint64_t{end.directory_offset} + end.directory_bytes > end.offset) {
        return damaged();
    }
    Bytes directory(end.directory_bytes);
    TRY_OK(input.read_at(end.directory_offset, directory));
    std::vector<ZipDirectoryEntry> entries;
    for (BytesView rest(directory); entries.size() < end.entry_count;) {
        if (rest.size() < zip::central_header_size || load_le32(rest, 0) != zip::central_header_mark) {
            return damaged();
        }
        std::size_t const name_size = load_le16(rest, 28);
        auto const whole = zip::central_header_size + name_size + load_le16(rest, 30) + load_le16(rest, 32);
        if (rest.size() < whole) {
            return damaged();
        }
        entries.push_back({std::string(as_text(rest.subspan(zip::central_header_size, name_size))),
                           load_le32(rest, 42), load_le32(rest, 20), load_le32(rest, 24)});
        rest = rest.subspan(whole);
    }
    return entries;
}

} // namespace sinew::firmware
