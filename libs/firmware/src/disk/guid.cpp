#include "disk/guid.hpp"

#include <sinew/base/bytes.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sinew::firmware {

namespace {

/// Where each byte of the text's order is stored.
constexpr std::array<std::size_t, 16> stored_at{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

bool is_dash_position(std::size_t at) {
    return at == 8 || at == 13 || at == 18 || at == 23;
}

} // namespace

std::optional<Guid> parse_guid(std::string_view text) {
    constexpr std::size_t text_size = 36;
    if (text.size() != text_size) {
        return std::nullopt;
    }
    std::string digits;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_dash_position(i) != (text[i] == '-')) {
            return std::nullopt;
        }
        if (text[i] != '-') {
            digits.push_back(text[i]);
        }
    }
    auto const bytes = from_hex(digits);
    if (!bytes) {
        return std::nullopt;
    }
    Guid guid{};
    for (std::size_t i = 0; i < guid.size(); ++i) {
        guid[stored_at[i]] = (*bytes)[i];
    }
    return guid;
}

std::string format_guid(BytesView bytes) {
    Guid in_order{};
    for (std::size_t i = 0; i < in_order.size(); ++i) {
        in_order[i] = bytes[stored_at[i]];
    }
    auto text = to_hex(in_order);
    for (std::size_t const at : {20u, 16u, 12u, 8u}) {
        text.insert(at, 1, '-');
    }
    return text;
}

} // namespace sinew::firmware
