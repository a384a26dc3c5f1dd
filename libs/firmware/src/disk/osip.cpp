/// From the osip and osii options of an `mbr` section to bytes.
///
/// Layout: a header of 32 bytes ("$OS$", versions, XOR checksum, counts), then 24 bytes an image.
#include "disk/osip.hpp"

#include "script/config.hpp"
#include "script/number.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace sinew::firmware {

namespace {

constexpr std::size_t boot_code_size = 440;
constexpr std::size_t header_size = 32;
constexpr std::size_t image_size = 24;
constexpr std::int64_t most_images = 16;
constexpr std::size_t checksum_at = 7;

Result<std::uint32_t> field(Section const& section, std::string_view option, std::int64_t most) {
    auto const value = section.integer(option);
    if (value < 0 || value > most) {
        return failure(ErrorCode::invalid_argument, std::string(section.schema->name) +
                                                        (section.title.empty() ? "" : " ") + section.title +
                                                        ": " + std::string(option) + " must be 0 to " +
                                                        std::to_string(most));
    }
    return static_cast<std::uint32_t>(value);
}

Result<> put_image(Section const& osii, MutableBytesView out) {
    constexpr std::int64_t most_16 = std::numeric_limits<std::uint16_t>::max();
    constexpr std::int64_t most_32 = std::numeric_limits<std::uint32_t>::max();
    TRY(auto const minor, field(osii, "os-minor", most_16));
    TRY(auto const major, field(osii, "os-major", most_16));
    TRY(auto const start, field(osii, "start-block-offset", most_32));
    TRY(auto const load_address, field(osii, "ddr-load-address", most_32));
    TRY(auto const entry_point, field(osii, "entry-point", most_32));
    TRY(auto const blocks, field(osii, "image-size-blocks", most_32));
    TRY(auto const attribute, field(osii, "attribute", 0xFF));
    store_le16(out, 0, static_cast<std::uint16_t>(minor));
    store_le16(out, 2, static_cast<std::uint16_t>(major));
    store_le32(out, 4, start);
    store_le32(out, 8, load_address);
    store_le32(out, 12, entry_point);
    store_le32(out, 16, blocks);
    out[20] = static_cast<std::byte>(attribute);
    return {};
}

} // namespace

Result<Bytes> encode_osip(Section const& mbr) {
    TRY(auto const major, field(mbr, "osip-major", 0xFF));
    TRY(auto const minor, field(mbr, "osip-minor", 0xFF));
    TRY(auto const count, field(mbr, "osip-num-pointers", most_images));
    Bytes code(boot_code_size);
    std::ranges::copy(as_bytes("$OS$"), code.begin());
    code[5] = static_cast<std::byte>(minor);
    code[6] = static_cast<std::byte>(major);
    code[8] = static_cast<std::byte>(count);
    code[9] = static_cast<std::byte>(count);
    auto const size = header_size + image_size * count;
    store_le16(code, 10, static_cast<std::uint16_t>(size));
    for (auto const& child : mbr.sections) {
        if (child.schema->name != "osii") {
            continue;
        }
        auto const index = parse_number(child.title);
        if (!index || *index >= count) {
            return failure(ErrorCode::invalid_argument,
                           "osii '" + child.title +
                               "' must be numbered 0 to osip-num-pointers - 1, which is " +
                               std::to_string(std::int64_t{count} - 1));
        }
        TRY_OK(
            put_image(child, MutableBytesView(code).subspan(
                                 header_size + image_size * static_cast<std::size_t>(*index), image_size)));
    }
    std::byte sum{0};
    for (auto const byte : BytesView(code).first(size)) {
        sum ^= byte;
    }
    code[checksum_at] = sum;
    code.resize(size);
    return code;
}

} // namespace sinew::firmware
