/// Hexadecimal text and fixed-width integers in byte spans.
#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sinew {

namespace {

int digit_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    if (digit >= 'A' && digit <= 'F') {
        return digit - 'A' + 10;
    }
    return -1;
}

template<std::unsigned_integral T>
T load_little(BytesView bytes, std::size_t at) {
    assert(at <= bytes.size() && bytes.size() - at >= sizeof(T));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        value |= std::to_integer<std::uint64_t>(bytes[at + i]) << (8 * i);
    }
    return static_cast<T>(value);
}

template<std::unsigned_integral T>
void store_little(MutableBytesView bytes, std::size_t at, T value) {
    assert(at <= bytes.size() && bytes.size() - at >= sizeof(T));
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        bytes[at + i] = static_cast<std::byte>((static_cast<std::uint64_t>(value) >> (8 * i)) & 0xff);
    }
}

} // namespace

Bytes to_bytes(std::string_view text) {
    auto const view = as_bytes(text);
    return {view.begin(), view.end()};
}

std::string to_hex(BytesView bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (std::byte const byte : bytes) {
        text += digits[std::to_integer<std::size_t>(byte) >> 4];
        text += digits[std::to_integer<std::size_t>(byte) & 0xf];
    }
    return text;
}

Result<Bytes> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) {
        return failure(ErrorCode::invalid_argument, "hexadecimal text has an odd number of digits");
    }
    Bytes bytes(text.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        int const high = digit_value(text[2 * i]);
        int const low = digit_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return failure(ErrorCode::invalid_argument, "not a hexadecimal digit at position " +
                                                            std::to_string(2 * i + (high < 0 ? 0 : 1)));
        }
        bytes[i] = static_cast<std::byte>(high * 16 + low);
    }
    return bytes;
}

std::uint16_t load_le16(BytesView bytes, std::size_t at) {
    return load_little<std::uint16_t>(bytes, at);
}
std::uint32_t load_le32(BytesView bytes, std::size_t at) {
    return load_little<std::uint32_t>(bytes, at);
}
std::uint64_t load_le64(BytesView bytes, std::size_t at) {
    return load_little<std::uint64_t>(bytes, at);
}
std::uint32_t load_be32(BytesView bytes, std::size_t at) {
    return __builtin_bswap32(load_little<std::uint32_t>(bytes, at));
}
void store_le16(MutableBytesView bytes, std::size_t at, std::uint16_t value) {
    store_little(bytes, at, value);
}
void store_le32(MutableBytesView bytes, std::size_t at, std::uint32_t value) {
    store_little(bytes, at, value);
}
void store_le64(MutableBytesView bytes, std::size_t at, std::uint64_t value) {
    store_little(bytes, at, value);
}
void store_be32(MutableBytesView bytes, std::size_t at, std::uint32_t value) {
    store_little(bytes, at, __builtin_bswap32(value));
}

} // namespace sinew
