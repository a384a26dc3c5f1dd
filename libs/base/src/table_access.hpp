/// An object of which only the table is known: what it holds, by kind.
///
/// Invariant: `object` is of the type that the table was made of; integers are little-endian, as on every target.
/// Threading: free functions on values.
#pragma once

#include <sinew/base/detail/type_table.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace sinew::detail {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

using Kind = TypeTable::Kind;

template<typename T>
[[nodiscard]] T& as(void* object) {
    return *static_cast<T*>(object);
}

/// The table as what its kind says it is.
template<typename Table>
[[nodiscard]] Table const& as(TypeTable const& type) {
    return static_cast<Table const&>(type);
}

/// What an integer or an enumeration holds, whatever its size.
[[nodiscard]] inline std::int64_t load_integer(TypeTable const& type, void const* object) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, object, type.size_bytes);
    unsigned const unused = 64 - 8U * type.size_bytes;
    return type.is_signed ? static_cast<std::int64_t>(bits << unused) >> unused
                          : static_cast<std::int64_t>(bits);
}

inline void store_integer(TypeTable const& type, void* object, std::int64_t integer) {
    std::memcpy(object, &integer, type.size_bytes);
}

[[nodiscard]] inline double load_number(TypeTable const& type, void const* object) {
    float single = 0;
    double number = 0;
    if (type.size_bytes == sizeof single) {
        std::memcpy(&single, object, sizeof single);
        return static_cast<double>(single);
    }
    std::memcpy(&number, object, sizeof number);
    return number;
}

/// False, and `object` is as it was: `number` is too large for its type.
[[nodiscard]] inline bool store_number(TypeTable const& type, void* object, double number) {
    if (type.size_bytes != sizeof(float)) {
        std::memcpy(object, &number, sizeof number);
        return true;
    }
    constexpr double largest = std::numeric_limits<float>::max();
    if (std::isfinite(number) && std::abs(number) > largest) {
        return false;
    }
    auto const single = static_cast<float>(number);
    std::memcpy(object, &single, sizeof single);
    return true;
}

} // namespace sinew::detail
