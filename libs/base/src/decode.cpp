/// Values to objects, by the tables of their types.
///
/// Invariant: nothing here depends on a type; what does is a function of its table.
/// Threading: free functions on values.
#include "describe_text.hpp"
#include "table_access.hpp"

#include <sinew/base/describe.hpp>
#include <sinew/base/detail/type_table.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sinew::detail {

namespace {

Result<> decode(TypeTable const& type, Value const& value, void* object, DecodeContext& context);

/// What `value` holds as a T, or the error that says what was expected.
template<typename T>
Result<T const*> require(Value const& value, DecodeContext const& context, std::string_view expected) {
    auto const* held = value.get_if<T>();
    if (held == nullptr) {
        return std::unexpected(wrong_type(value, context, expected));
    }
    return held;
}

/// The largest number that an integer of this size holds.
std::uint64_t largest_of(TypeTable const& type) {
    unsigned const value_bits = 8U * type.size_bytes - (type.is_signed ? 1 : 0);
    return (std::uint64_t{1} << value_bits) - 1;
}

std::int64_t least_of(TypeTable const& type) {
    return type.is_signed ? -static_cast<std::int64_t>(largest_of(type)) - 1 : 0;
}

Result<> decode_integer_into(TypeTable const& type, Value const& value, void* object,
                             DecodeContext& context) {
    TRY(auto const integer, decode_integer(value, context, least_of(type), largest_of(type)));
    store_integer(type, object, integer);
    return {};
}

/// Numbers that JSON doesn't have are texts there (format_json()).
std::optional<double> number_of(Value const& value) {
    if (auto const* number = value.get_if<double>()) {
        return *number;
    }
    if (auto const* integer = value.get_if<std::int64_t>()) {
        return static_cast<double>(*integer);
    }
    auto const* text = value.get_if<std::string>();
    if (text == nullptr) {
        return std::nullopt;
    }
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return *text == "Infinity"    ? std::optional(infinity)
           : *text == "-Infinity" ? std::optional(-infinity)
           : *text == "NaN"       ? std::optional(std::numeric_limits<double>::quiet_NaN())
                                  : std::nullopt;
}

Result<> decode_number(TypeTable const& type, Value const& value, void* object, DecodeContext& context) {
    auto const number = number_of(value);
    if (!number) {
        return std::unexpected(wrong_type(value, context, "a number"));
    }
    if (!store_number(type, object, *number)) {
        return std::unexpected(decode_error(value, context, "is larger than this setting can hold"));
    }
    return {};
}

Result<> decode_enumerator(EnumerationTable const& type, Value const& value, void* object,
                           DecodeContext& context) {
    if (type.is_flags && value.get_if<std::int64_t>() != nullptr) {
        return decode_integer_into(type, value, object, context);
    }
    auto const* text = value.get_if<std::string>();
    std::vector<std::string_view> allowed;
    for (std::size_t i = 0; i < type.count; ++i) {
        if (text != nullptr && *text == type.entries[i].name) {
            store_integer(type, object, type.entries[i].value);
            return {};
        }
        allowed.emplace_back(type.entries[i].name);
    }
    return std::unexpected(unknown_enumerator(value, context, allowed));
}

Result<> decode_duration(DurationTable const& type, Value const& value, void* object,
                         DecodeContext& context) {
    if (type.is_floating) {
        TRY(auto const number, decode_duration_number(value, context, type.unit_ns));
        if (!store_number(type, object, number)) {
            return std::unexpected(decode_error(value, context, "is longer than this setting can hold"));
        }
        return {};
    }
    TRY(auto const count, decode_duration_count(value, context, type.unit_ns));
    if (count < least_of(type) || (count > 0 && static_cast<std::uint64_t>(count) > largest_of(type))) {
        return std::unexpected(decode_error(value, context, "is longer than this setting can hold"));
    }
    store_integer(type, object, count);
    return {};
}

Result<> decode_optional(OptionalTable const& type, Value const& value, void* object,
                         DecodeContext& context) {
    if (value.get_if<std::monostate>() != nullptr) {
        type.reset(object);
        return {};
    }
    void* inside = type.get(object);
    if (inside == nullptr) {
        inside = type.emplace(object);
    }
    return decode(*type.inside(), value, inside, context);
}

Result<> decode_sequence(SequenceTable const& type, Value const& value, void* object,
                         DecodeContext& context) {
    TRY(auto const* array, require<Value::Array>(value, context, "an array"));
    type.assign(object, array->size());
    for (std::size_t i = 0; i < array->size(); ++i) {
        PathScope const scope(context, std::to_string(i));
        TRY_OK(decode(*type.inside(), (*array)[i], type.at(object, i), context));
    }
    return {};
}

Result<> decode_booleans(Value const& value, std::vector<bool>& booleans, DecodeContext& context) {
    TRY(auto const* array, require<Value::Array>(value, context, "an array"));
    booleans.assign(array->size(), false);
    for (std::size_t i = 0; i < array->size(); ++i) {
        PathScope const scope(context, std::to_string(i));
        TRY(auto const* boolean, require<bool>((*array)[i], context, "true or false"));
        booleans[i] = *boolean;
    }
    return {};
}

Result<> decode_map(MapTable const& type, Value const& value, void* object, DecodeContext& context) {
    TRY(auto const* members, require<Value::Object>(value, context, "a table"));
    type.clear(object);
    for (auto const& [key, member] : *members) {
        PathScope const scope(context, key);
        TRY_OK(decode(*type.inside(), member, type.at(object, key), context));
    }
    return {};
}

struct Place {
    TypeTable const* type = nullptr;
    void* object = nullptr;
};

/// Where `key` is decoded to; the members' names on the way there are added to `known`.
Place find_member(StructureTable const& type, void* object, std::string_view key,
                  std::vector<std::string_view>& known) {
    for (std::size_t i = 0; i < type.base_count; ++i) {
        Place const place = find_member(*type.bases[i], type.base(object, i), key, known);
        if (place.type != nullptr) {
            return place;
        }
    }
    for (std::size_t i = 0; i < type.count; ++i) {
        if (key == type.members[i].name) {
            return {type.members[i].type(), type.member(object, i)};
        }
        known.emplace_back(type.members[i].name);
    }
    return {};
}

Result<> decode_structure(StructureTable const& type, Value const& value, void* object,
                          DecodeContext& context) {
    TRY(auto const* members, require<Value::Object>(value, context, "a table"));
    for (auto const& [key, member] : *members) {
        std::vector<std::string_view> known;
        Place const place = find_member(type, object, key, known);
        if (place.type == nullptr) {
            return std::unexpected(unknown_key(member, context, key, known));
        }
        PathScope const scope(context, key);
        TRY_OK(decode(*place.type, member, place.object, context));
    }
    return {};
}

Result<> decode(TypeTable const& type, Value const& value, void* object, DecodeContext& context) {
    switch (type.kind) {
    case Kind::value:
        as<Value>(object) = value;
        return {};
    case Kind::boolean: {
        TRY(auto const* boolean, require<bool>(value, context, "true or false"));
        as<bool>(object) = *boolean;
        return {};
    }
    case Kind::integer:
        return decode_integer_into(type, value, object, context);
    case Kind::number:
        return decode_number(type, value, object, context);
    case Kind::text: {
        TRY(auto const* text, require<std::string>(value, context, "a string"));
        as<std::string>(object) = *text;
        return {};
    }
    case Kind::path: {
        TRY(auto const* text, require<std::string>(value, context, "a string"));
        as<PathTable>(type).assign(object, std::string(*text));
        return {};
    }
    case Kind::duration:
        return decode_duration(as<DurationTable>(type), value, object, context);
    case Kind::enumeration:
        return decode_enumerator(as<EnumerationTable>(type), value, object, context);
    case Kind::optional:
        return decode_optional(as<OptionalTable>(type), value, object, context);
    case Kind::sequence:
        return decode_sequence(as<SequenceTable>(type), value, object, context);
    case Kind::booleans:
        return decode_booleans(value, as<std::vector<bool>>(object), context);
    case Kind::map:
        return decode_map(as<MapTable>(type), value, object, context);
    case Kind::structure:
        return decode_structure(as<StructureTable>(type), value, object, context);
    }
    std::unreachable();
}

} // namespace

Result<> decode_object(TypeTable const& type, Value const& value, void* object,
                       std::string_view source_name) {
    DecodeContext context{source_name, {}};
    return decode(type, value, object, context);
}

} // namespace sinew::detail
