/// Objects to Values, by the tables of their types.
///
/// Invariant: nothing here depends on a type; what does is a function of its table.
/// Threading: free functions on values.
#include "describe_text.hpp"
#include "table_access.hpp"

#include <sinew/base/describe.hpp>
#include <sinew/base/detail/type_table.hpp>
#include <sinew/base/value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sinew::detail {

namespace {

Value encode(TypeTable const& type, void* object);

Value encode_enumerator(EnumerationTable const& type, void const* object) {
    std::int64_t const value = load_integer(type, object);
    for (std::size_t i = 0; i < type.count; ++i) {
        if (type.entries[i].value == value) {
            return Value(std::string(type.entries[i].name));
        }
    }
    return Value(value);
}

Value encode_duration(DurationTable const& type, void const* object) {
    return Value(type.is_floating ? format_duration_number(load_number(type, object), type.unit_ns)
                                  : format_duration_count(load_integer(type, object), type.unit_ns));
}

Value encode_sequence(SequenceTable const& type, void* object) {
    Value::Array array;
    std::size_t const size = type.size(object);
    array.reserve(size);
    for (std::size_t i = 0; i < size; ++i) {
        array.push_back(encode(*type.inside(), type.at(object, i)));
    }
    return Value(std::move(array));
}

Value encode_booleans(std::vector<bool> const& booleans) {
    Value::Array array;
    for (bool const boolean : booleans) {
        array.emplace_back(boolean);
    }
    return Value(std::move(array));
}

Value encode_map(MapTable const& type, void* object) {
    struct Context {
        TypeTable const* inside;
        Value::Object members;
    };
    Context context{type.inside(), {}};
    type.for_each(object, &context, [](void* opaque, std::string const& key, void* element) {
        auto& [inside, members] = as<Context>(opaque);
        members.emplace_back(key, encode(*inside, element));
    });
    return Value(std::move(context.members));
}

void encode_members(StructureTable const& type, void* object, Value::Object& members) {
    for (std::size_t i = 0; i < type.base_count; ++i) {
        encode_members(*type.bases[i], type.base(object, i), members);
    }
    members.reserve(members.size() + type.count);
    for (std::size_t i = 0; i < type.count; ++i) {
        members.emplace_back(type.members[i].name, encode(*type.members[i].type(), type.member(object, i)));
    }
}

Value encode_structure(StructureTable const& type, void* object) {
    Value::Object members;
    encode_members(type, object, members);
    return Value(std::move(members));
}

Value encode(TypeTable const& type, void* object) {
    switch (type.kind) {
    case Kind::value:
        return as<Value>(object);
    case Kind::boolean:
        return Value(as<bool>(object));
    case Kind::integer:
        return Value(load_integer(type, object));
    case Kind::number:
        return Value(load_number(type, object));
    case Kind::text:
        return Value(as<std::string>(object));
    case Kind::path:
        return Value(as<PathTable>(type).text(object));
    case Kind::duration:
        return encode_duration(as<DurationTable>(type), object);
    case Kind::enumeration:
        return encode_enumerator(as<EnumerationTable>(type), object);
    case Kind::optional: {
        void* const inside = as<OptionalTable>(type).get(object);
        return inside != nullptr ? encode(*type.inside(), inside) : Value();
    }
    case Kind::sequence:
        return encode_sequence(as<SequenceTable>(type), object);
    case Kind::booleans:
        return encode_booleans(as<std::vector<bool>>(object));
    case Kind::map:
        return encode_map(as<MapTable>(type), object);
    case Kind::structure:
        return encode_structure(as<StructureTable>(type), object);
    }
    std::unreachable();
}

} // namespace

Value encode_object(TypeTable const& type, void const* object) {
    // The same functions of a table serve both directions; encoding only reads.
    return encode(type, const_cast<void*>(object));
}

} // namespace sinew::detail
