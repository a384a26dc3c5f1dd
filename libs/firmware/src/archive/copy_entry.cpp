#include "archive/copy_entry.hpp"

#include "archive/checksum.hpp"
#include "archive/zip_reader.hpp"
#include "archive/zip_writer.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr std::size_t piece_bytes = 128u << 10;

} // namespace

Result<ZipWriter::EntrySums> copy_entry(ZipReader& reader, ZipEntry const& entry, ZipWriter& writer) {
    TRY_OK(writer.begin_entry(
        {entry.name, entry.method, entry.size_bytes.value_or(0), entry.modified, entry.notes}));
    ZipWriter::EntrySums sums;
    reader.on_stored_bytes([&](BytesView bytes) {
        sums.stored_bytes += bytes.size();
        return writer.write_stored(bytes);
    });
    Bytes buffer(piece_bytes);
    auto copy = [&]() -> Result<> {
        while (true) {
            TRY(auto const count, reader.read(buffer));
            if (count == 0) {
                return {};
            }
            sums.crc = crc32_of(MutableBytesView(buffer).first(count), sums.crc);
            sums.size_bytes += count;
        }
    };
    auto copied = copy();
    reader.on_stored_bytes({});
    TRY_OK(std::move(copied));
    TRY_OK(writer.end_entry(sums));
    return sums;
}

} // namespace sinew::firmware
