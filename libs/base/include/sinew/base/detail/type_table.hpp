/// TypeTable: a type as data, which the library reads to turn its objects into a Value and back.
///
/// A type costs a constant and a few functions of a line each; what walks them is compiled once, in the library.
/// This header includes nothing for the types that it knows: a std::map is what behaves like one, and a described
/// struct is what Boost.Describe's macros made functions for (boost/describe/members.hpp would double its cost).
/// Invariant: a table's kind says which class derived from TypeTable it is. Threading: constants.
#pragma once

#include <sinew/base/result.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace sinew {

class Value;

namespace detail {

struct TypeTable {
    enum class Kind : std::uint8_t {
        value,
        boolean,
        integer,
        number,
        text,
        path,
        duration,
        enumeration,
        optional,
        sequence,
        booleans,
        map,
        structure
    };
    Kind kind;
    /// Of integers, numbers and enumerations.
    std::uint8_t size_bytes = 0;
    bool is_signed = false;
    /// Of an optional, a sequence and a map: the type inside. A function, as a struct may hold others of its own.
    TypeTable const* (*inside)() noexcept = nullptr;
};

/// std::filesystem::path, without its header.
struct PathTable : TypeTable {
    std::string (*text)(void const* path);
    void (*assign)(void* path, std::string&& text);
};

/// A std::chrono duration: a number of `size_bytes`, alone in it.
struct DurationTable : TypeTable {
    std::int64_t unit_ns;
    bool is_floating;
};

struct EnumerationTable : TypeTable {
    struct Entry {
        char const* name;
        std::int64_t value;
    };
    Entry const* entries;
    std::size_t count;
    /// Values without a name count, too.
    bool is_flags;
};

struct OptionalTable : TypeTable {
    /// Null: it is empty.
    void* (*get)(void* optional) noexcept;
    void* (*emplace)(void* optional);
    void (*reset)(void* optional);
};

struct SequenceTable : TypeTable {
    std::size_t (*size)(void const* sequence) noexcept;
    void* (*at)(void* sequence, std::size_t index) noexcept;
    /// Makes it `size` new elements.
    void (*assign)(void* sequence, std::size_t size);
};

/// Keys are strings.
struct MapTable : TypeTable {
    using Visit = void (*)(void* context, std::string const& key, void* element);
    void (*for_each)(void* map, void* context, Visit visit);
    void (*clear)(void* map);
    /// Makes the element if it isn't there.
    void* (*at)(void* map, std::string const& key);
};

struct StructureTable : TypeTable {
    struct Member {
        char const* name;
        TypeTable const* (*type)() noexcept;
    };
    Member const* members;
    std::size_t count;
    void* (*member)(void* object, std::size_t index) noexcept;
    /// Structs that it inherits from publicly; their members come first.
    StructureTable const* const* bases;
    std::size_t base_count;
    void* (*base)(void* object, std::size_t index) noexcept;
};

inline constexpr TypeTable value_table{TypeTable::Kind::value};
inline constexpr TypeTable boolean_table{TypeTable::Kind::boolean};
inline constexpr TypeTable text_table{TypeTable::Kind::text};
inline constexpr TypeTable booleans_table{TypeTable::Kind::booleans};
template<std::size_t size, bool is_signed>
inline constexpr TypeTable integer_table{TypeTable::Kind::integer, size, is_signed};
template<std::size_t size>
inline constexpr TypeTable number_table{TypeTable::Kind::number, size};

template<typename T>
concept IsDescribed = requires(T** none) {
    boost_public_member_descriptor_fn(none);
    boost_base_descriptor_fn(none);
};
template<typename T>
concept IsDescribedEnum = std::is_enum_v<T> && requires(T** none) { boost_enum_descriptor_fn(none); };
template<typename T>
concept IsPath = requires(T const& path, std::string text) {
    { path.string() } -> std::same_as<std::string>;
    T::preferred_separator;
    T(std::move(text));
};
template<typename T>
concept IsDuration = requires(T const& duration) {
    typename T::period;
    { duration.count() } -> std::same_as<typename T::rep>;
};
template<typename T>
concept IsOptional = requires(T& optional) {
    optional.has_value();
    optional.reset();
    optional.emplace();
};
template<typename T>
inline constexpr bool is_vector = false;
template<typename T, typename A>
inline constexpr bool is_vector<std::vector<T, A>> = true;
template<typename T>
concept IsMap = requires(T& map, std::string const& key) {
    typename T::key_compare;
    { map[key] } -> std::same_as<typename T::mapped_type&>;
};

template<typename T>
constexpr TypeTable const* table_of() noexcept;

template<typename T>
inline constexpr PathTable path_table{
    {TypeTable::Kind::path},
    [](void const* path) { return static_cast<T const*>(path)->string(); },
    [](void* path, std::string&& text) { *static_cast<T*>(path) = std::move(text); }};

/// 0: its unit has no name in a text.
template<typename T>
constexpr std::int64_t unit_of_duration_ns() noexcept {
    constexpr std::int64_t second_ns = 1'000'000'000;
    constexpr std::int64_t day_s = 86'400;
    if (T::period::num > day_s || T::period::den > second_ns || second_ns % T::period::den != 0) {
        return 0;
    }
    std::int64_t const unit_ns = T::period::num * (second_ns / T::period::den);
    for (std::int64_t const named : {std::int64_t{1}, second_ns / 1'000'000, second_ns / 1'000, second_ns,
                                     60 * second_ns, 3'600 * second_ns, day_s * second_ns}) {
        if (unit_ns == named) {
            return unit_ns;
        }
    }
    return 0;
}
template<typename T>
inline constexpr DurationTable duration_table{
    {TypeTable::Kind::duration, sizeof(typename T::rep), std::is_signed_v<typename T::rep>},
    unit_of_duration_ns<T>(),
    std::floating_point<typename T::rep>};

template<typename T, typename List>
struct Enumerators;
template<typename T, template<typename...> typename List, typename... Entries>
struct Enumerators<T, List<Entries...>> {
    static constexpr std::size_t count = sizeof...(Entries);
    // NOLINTNEXTLINE(*-avoid-c-arrays): one element more, as an array can't be empty
    static constexpr EnumerationTable::Entry entries[count + 1] = {
        {Entries::name, static_cast<std::int64_t>(Entries::value)}..., {nullptr, 0}};
};
template<typename T>
using EnumeratorsOf = Enumerators<T, decltype(boost_enum_descriptor_fn(static_cast<T**>(nullptr)))>;
/// Whoever can be joined by '|' stands for a set.
template<typename T>
concept IsFlags = std::is_scoped_enum_v<T> && requires(T value) {
    { value | value } -> std::same_as<T>;
};
template<typename T>
inline constexpr EnumerationTable enumeration_table{
    {TypeTable::Kind::enumeration, sizeof(T), std::is_signed_v<std::underlying_type_t<T>>},
    EnumeratorsOf<T>::entries,
    EnumeratorsOf<T>::count,
    IsFlags<T>};

template<typename T>
inline constexpr OptionalTable optional_table{
    {.kind = TypeTable::Kind::optional, .inside = &table_of<typename T::value_type>},
    [](void* optional) noexcept -> void* {
        auto& object = *static_cast<T*>(optional);
        return object.has_value() ? &*object : nullptr;
    },
    [](void* optional) -> void* { return &static_cast<T*>(optional)->emplace(); },
    [](void* optional) { static_cast<T*>(optional)->reset(); }};

template<typename T>
inline constexpr SequenceTable sequence_table{
    {.kind = TypeTable::Kind::sequence, .inside = &table_of<typename T::value_type>},
    [](void const* sequence) noexcept { return static_cast<T const*>(sequence)->size(); },
    [](void* sequence, std::size_t index) noexcept -> void* { return &(*static_cast<T*>(sequence))[index]; },
    [](void* sequence, std::size_t size) { *static_cast<T*>(sequence) = T(size); }};

template<typename T>
inline constexpr MapTable map_table{
    {.kind = TypeTable::Kind::map, .inside = &table_of<typename T::mapped_type>},
    [](void* map, void* context, MapTable::Visit visit) {
        for (auto& [key, element] : *static_cast<T*>(map)) {
            visit(context, key, &element);
        }
    },
    [](void* map) { static_cast<T*>(map)->clear(); },
    [](void* map, std::string const& key) -> void* { return &(*static_cast<T*>(map))[key]; }};

template<typename T, typename Members, typename Bases>
struct Structure;
template<typename T, template<typename...> typename List, typename... Members, typename... Bases>
struct Structure<T, List<Members...>, List<Bases...>> {
    template<typename M>
    using MemberType = std::remove_cvref_t<decltype(std::declval<T&>().*M::pointer)>;
    static constexpr std::size_t count = sizeof...(Members);
    static constexpr std::size_t base_count = sizeof...(Bases);
    // NOLINTBEGIN(*-avoid-c-arrays): one element more, as an array can't be empty
    static constexpr StructureTable::Member members[count + 1] = {
        {Members::name, &table_of<MemberType<Members>>}..., {nullptr, nullptr}};
    static constexpr StructureTable const* bases[base_count + 1] = {
        static_cast<StructureTable const*>(table_of<typename Bases::type>())..., nullptr};
    // NOLINTEND(*-avoid-c-arrays)

    // Differences of addresses: the compiler makes them an array of constants.
    static void* member(void* object, std::size_t index) noexcept {
        std::ptrdiff_t offset = 0; // NOLINT(misc-const-correctness): for a type without members
        std::size_t at = 0;        // NOLINT(misc-const-correctness)
        (void)((at++ == index &&
                (offset = distance(object, &(static_cast<T*>(object)->*Members::pointer)), true)) ||
               ...);
        return static_cast<char*>(object) + offset;
    }
    static void* base(void* object, std::size_t index) noexcept {
        std::ptrdiff_t offset = 0; // NOLINT(misc-const-correctness): for a type without bases
        std::size_t at = 0;        // NOLINT(misc-const-correctness)
        (void)((at++ == index &&
                (offset = distance(object, static_cast<typename Bases::type*>(static_cast<T*>(object))),
                 true)) ||
               ...);
        return static_cast<char*>(object) + offset;
    }

private:
    static std::ptrdiff_t distance(void* from, void* to) noexcept {
        return static_cast<char*>(to) - static_cast<char*>(from);
    }
};
template<typename T>
using StructureOf = Structure<T, decltype(boost_public_member_descriptor_fn(static_cast<T**>(nullptr))),
                              decltype(boost_base_descriptor_fn(static_cast<T**>(nullptr)))>;
template<typename T>
inline constexpr StructureTable structure_table{
    {TypeTable::Kind::structure}, StructureOf<T>::members,    StructureOf<T>::count, &StructureOf<T>::member,
    StructureOf<T>::bases,        StructureOf<T>::base_count, &StructureOf<T>::base};
template<typename T>
inline constexpr bool fits_in_int64 = sizeof(T) < 8 || std::is_signed_v<T>;
template<typename T>
inline constexpr bool is_supported = false;

template<typename T>
constexpr TypeTable const* table_of() noexcept {
    if constexpr (std::same_as<T, Value>) {
        return &value_table;
    } else if constexpr (std::same_as<T, bool>) {
        return &boolean_table;
    } else if constexpr (std::same_as<T, std::string>) {
        return &text_table;
    } else if constexpr (std::same_as<T, std::vector<bool>>) {
        return &booleans_table;
    } else if constexpr (std::integral<T>) {
        static_assert(fits_in_int64<T>, "64-bit unsigned integers do not fit TOML's integers");
        return &integer_table<sizeof(T), std::is_signed_v<T>>;
    } else if constexpr (std::floating_point<T>) {
        static_assert(sizeof(T) <= sizeof(double), "a long double would lose digits in a text: use a double");
        return &number_table<sizeof(T)>;
    } else if constexpr (IsDescribedEnum<T>) {
        static_assert(!IsFlags<T> || fits_in_int64<std::underlying_type_t<T>>,
                      "64 flags do not fit TOML's integers");
        return &enumeration_table<T>;
    } else if constexpr (IsDescribed<T>) {
        return &structure_table<T>;
    } else if constexpr (is_vector<T>) {
        return &sequence_table<T>;
    } else if constexpr (IsOptional<T>) {
        return &optional_table<T>;
    } else if constexpr (IsMap<T>) {
        return &map_table<T>;
    } else if constexpr (IsDuration<T>) {
        static_assert(unit_of_duration_ns<T>() != 0,
                      "a text has durations in ns, us, ms, s, min, h or d: use one of these units");
        static_assert(sizeof(typename T::rep) <= 8 &&
                          (std::floating_point<typename T::rep> || fits_in_int64<typename T::rep>),
                      "the text of a duration holds a double or a signed 64-bit integer");
        return &duration_table<T>;
    } else if constexpr (IsPath<T>) {
        return &path_table<T>;
    } else {
        static_assert(is_supported<T>,
                      "this type is neither described nor one that <sinew/base/describe.hpp> lists");
        return nullptr;
    }
}

[[nodiscard]] Value encode_object(TypeTable const& type, void const* object);
/// On an error `object` holds anything.
[[nodiscard]] Result<> decode_object(TypeTable const& type, Value const& value, void* object,
                                     std::string_view source_name);

/// On an error `object` is unchanged.
template<typename T>
[[nodiscard]] Result<> decode_copy(T& object, Value const& value, std::string_view source_name) {
    T copy = object;
    TRY_OK(decode_object(*table_of<T>(), value, &copy, source_name));
    object = std::move(copy);
    return {};
}

} // namespace detail
} // namespace sinew
