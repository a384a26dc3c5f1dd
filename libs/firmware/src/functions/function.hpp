/// A function of the language is one row: what scripts may write, what it is checked for, and how it runs.
///
/// Each family of functions has its rows in a file of its own, beside what they do; table.hpp finds a row by
/// its name. Invariant: check() only reads; run() is only called after check() agreed. Threading: constants.
#pragma once

#include "functions/arguments.hpp"

#include <sinew/base/result.hpp>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace sinew::firmware {

class Checker;
class Runner;
struct ResourceSpec;
struct Section;

/// A part of the disk that a call writes.
struct DiskUse {
    std::uint64_t block = 0;
    std::uint64_t count = 0;
    /// What lies there, "the FAT file system at block 64": calls may write into the same one again and again.
    /// Empty: content that nothing else may touch.
    std::string owner{};
    /// It changes what is there, which may have come as the content of a resource.
    bool is_edit = false;
};

/// What an archive says, for those who want to know where its calls write.
struct DiskPlan {
    Section const& config;
    /// What the on-resource of the call consumes; nullptr in other events.
    ResourceSpec const* resource = nullptr;
    /// By their first block: the lengths of FAT file systems, in blocks, where they are known.
    std::map<std::uint64_t, std::uint64_t> const& file_systems;
};

/// Whether a value that is left to the device, "${NAME}", may stand where a number is due.
enum class Deferred : std::uint8_t { allowed, refused };

/// How a function or a condition is written.
struct Form {
    std::string_view name;
    std::uint8_t fewest_arguments = 0;
    std::uint8_t most_arguments = 0;
    /// Bit N is set if argument N, from 1 on, is a number.
    std::uint8_t numbers = 0;
    /// Which kind of section argument 1 names; empty: none.
    std::string_view section = {};
    /// What else the arguments must be, if anything; called when their number and the numbers among them are
    /// right. Error invalid_argument: says what is wrong, without a position.
    Result<> (*check)(Words words, Deferred deferred) = nullptr;
};

inline constexpr std::uint8_t argument_1 = 1u << 1;
inline constexpr std::uint8_t argument_2 = 1u << 2;
inline constexpr std::uint8_t argument_3 = 1u << 3;

/// What else there is to know about a function; they combine by |.
enum class Trait : std::uint8_t {
    none = 0,
    /// It reads the resource of its on-resource, which streams by only once.
    writes_resource = 1u << 0,
    /// It reaches beyond the disk.
    needs_unsafe = 1u << 1,
    runs_commands = 1u << 2,
    /// Its last argument may be left out, and is then the name of the resource.
    named_like_resource = 1u << 3,
    /// Its error is what the script says, and stays as it is.
    fails_in_own_words = 1u << 4,
    /// It makes room: what comes later may write over what it wrote.
    clears = 1u << 5,
};

constexpr Trait operator|(Trait a, Trait b) {
    return static_cast<Trait>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}

struct Function {
    Form form;
    Trait traits = Trait::none;
    Result<Arguments> (*read)(Words words) = nullptr;
    /// Before the first write of the task; nullptr: nothing to check.
    Result<> (*check)(Checker& checker, Arguments const& arguments) = nullptr;
    Result<> (*run)(Runner& runner, Arguments const& arguments) = nullptr;
    /// How much it writes, for progress, besides a resource; nullptr: too little to count.
    std::uint64_t (*payload_bytes)(Arguments const& arguments) = nullptr;
    /// Where on the disk it writes, as far as that is known before there is a disk; nullptr: nowhere.
    std::vector<DiskUse> (*uses)(DiskPlan const& plan, Arguments const& arguments) = nullptr;

    [[nodiscard]] constexpr Function that_uses(std::vector<DiskUse> (*answer)(DiskPlan const&,
                                                                              Arguments const&)) const {
        auto row = *this;
        row.uses = answer;
        return row;
    }
    [[nodiscard]] constexpr bool has(Trait trait) const {
        return (static_cast<std::uint8_t>(traits) & static_cast<std::uint8_t>(trait)) != 0;
    }
};

/// A step that takes arguments of one type, as one that takes those of any function.
template<auto step>
struct AnyArguments;
template<typename Context, typename T, Result<> (*step)(Context&, T const&)>
struct AnyArguments<step> {
    using Taken = T;
    static Result<> call(Context& context, Arguments const& arguments) {
        return step(context, std::get<T>(arguments));
    }
};

/// The row of a function that is checked and run by these two, which take the same type of arguments.
/// `check` may be nullptr.
template<auto check, auto run>
constexpr Function function(Form const& form, Trait traits = Trait::none) {
    using Taken = AnyArguments<run>::Taken;
    Function row{form, traits, &read_arguments<Taken>, nullptr, &AnyArguments<run>::call};
    if constexpr (!std::is_null_pointer_v<decltype(check)>) {
        static_assert(std::is_same_v<Taken, typename AnyArguments<check>::Taken>);
        row.check = &AnyArguments<check>::call;
    }
    return row;
}

// The families.
[[nodiscard]] std::span<Function const> raw_functions();
[[nodiscard]] std::span<Function const> fat_functions();
[[nodiscard]] std::span<Function const> partition_table_functions();
[[nodiscard]] std::span<Function const> environment_functions();
[[nodiscard]] std::span<Function const> message_functions();
[[nodiscard]] std::span<Function const> outside_functions();

} // namespace sinew::firmware
