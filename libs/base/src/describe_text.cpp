/// The parts of decoding that need no table: error texts, integers, durations.
#include "describe_text.hpp"

#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>
#include <sinew/base/value.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace sinew::detail {

namespace {

struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
};

/// Longest first, so that formatting finds the largest unit that divides.
constexpr std::array<Unit, 7> units = {{{"d", 86'400'000'000'000},
                                        {"h", 3'600'000'000'000},
                                        {"min", 60'000'000'000},
                                        {"s", 1'000'000'000},
                                        {"ms", 1'000'000},
                                        {"us", 1'000},
                                        {"ns", 1}}};

/// Levenshtein distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            std::size_t const above = row[j + 1];
            std::size_t const cost = a[i] == b[j] ? diagonal : diagonal + 1;
            row[j + 1] = std::min({cost, above + 1, row[j] + 1});
            diagonal = above;
        }
    }
    return row.back();
}

std::string_view closest(std::string_view key, std::vector<std::string_view> const& known) {
    std::string_view best;
    std::size_t best_distance = 3;
    for (auto const candidate : known) {
        if (candidate.size() + 3 > key.size() && key.size() + 3 > candidate.size()) {
            if (auto const d = distance(key, candidate); d < best_distance) {
                best = candidate;
                best_distance = d;
            }
        }
    }
    return best;
}

constexpr std::string_view expected_duration = R"(a duration such as "500ms", "5s", "2min", "1h")";

Unit const* find_unit(std::string_view name) {
    return std::ranges::find(units, name, &Unit::name);
}

Result<std::string_view> require_duration(Value const& value, DecodeContext const& context) {
    auto const* text = value.get_if<std::string>();
    if (text == nullptr) {
        return std::unexpected(wrong_type(value, context, expected_duration));
    }
    return *text;
}

Error no_duration(Value const& value, DecodeContext const& context, std::string_view text) {
    return decode_error(value, context,
                        "expected " + std::string(expected_duration) + "; found '" + std::string(text) + "'");
}

/// "-1.25h": 125 hundredths of an hour.
struct Decimal {
    bool is_negative = false;
    /// Nothing: more than 64 bits.
    std::optional<std::uint64_t> digits;
    std::size_t decimal_places = 0;
    Unit const* unit = nullptr;
};

std::string_view take_digits(std::string_view& text) {
    auto const digits = text.substr(0, std::min(text.find_first_not_of("0123456789"), text.size()));
    text.remove_prefix(digits.size());
    return digits;
}

/// Nothing: it is no duration.
std::optional<Decimal> parse_decimal(std::string_view text) {
    Decimal decimal;
    decimal.is_negative = text.starts_with('-');
    text.remove_prefix(decimal.is_negative ? 1 : 0);
    std::string digits(take_digits(text));
    if (digits.empty()) {
        return std::nullopt;
    }
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        auto decimals = take_digits(text);
        if (decimals.empty()) {
            return std::nullopt;
        }
        decimals = decimals.substr(0, decimals.find_last_not_of('0') + 1);
        decimal.decimal_places = decimals.size();
        digits += decimals;
    }
    decimal.digits = parse_number<std::uint64_t>(digits);
    decimal.unit = find_unit(text);
    return decimal.unit == units.end() ? std::nullopt : std::optional(decimal);
}

enum class Misfit : std::uint8_t { too_fine, too_long };

/// How many units of `unit_ns` it is. One of the two units is a whole number of the other.
std::expected<std::int64_t, Misfit> count_of(Decimal const& decimal, std::int64_t unit_ns) {
    constexpr std::size_t most_decimal_places = 19;
    if (decimal.decimal_places > most_decimal_places) {
        return std::unexpected(Misfit::too_fine);
    }
    if (!decimal.digits) {
        return std::unexpected(Misfit::too_long);
    }
    std::uint64_t power = 1;
    for (std::size_t place = 0; place < decimal.decimal_places; ++place) {
        power *= 10;
    }
    bool const is_coarser = decimal.unit->nanoseconds >= unit_ns;
    auto factor = static_cast<std::uint64_t>(is_coarser ? decimal.unit->nanoseconds / unit_ns : 1);
    auto const divisor = static_cast<std::uint64_t>(is_coarser ? 1 : unit_ns / decimal.unit->nanoseconds);
    auto const common = std::gcd(factor, power);
    factor /= common;
    power /= common;
    if (*decimal.digits % power != 0 || *decimal.digits / power % divisor != 0) {
        return std::unexpected(Misfit::too_fine);
    }
    std::uint64_t count = 0;
    auto const most =
        static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) + (decimal.is_negative ? 1 : 0);
    if (__builtin_mul_overflow(*decimal.digits / power / divisor, factor, &count) || count > most) {
        return std::unexpected(Misfit::too_long);
    }
    return static_cast<std::int64_t>(decimal.is_negative ? 0 - count : count);
}

} // namespace

PathScope::PathScope(DecodeContext& context, std::string_view key)
    : m_context(context)
    , m_length(context.path.size()) {
    if (!context.path.empty()) {
        context.path += '.';
    }
    context.path += key;
}

Error decode_error(Value const& value, DecodeContext const& context, std::string const& message) {
    std::string text(context.source_name);
    if (value.line() > 0) {
        text += ":" + std::to_string(value.line());
    }
    if (!text.empty()) {
        text += ": ";
    }
    if (!context.path.empty()) {
        text += context.path + ": ";
    }
    return Error(ErrorCode::invalid_argument, text + message);
}

Error wrong_type(Value const& value, DecodeContext const& context, std::string_view expected) {
    return decode_error(value, context,
                        "expected " + std::string(expected) + ", found " + std::string(value.type_name()));
}

Error unknown_key(Value const& value, DecodeContext const& context, std::string_view key,
                  std::vector<std::string_view> const& known) {
    std::string text = "unknown key '" + std::string(key) + "' (";
    if (auto const near = closest(key, known); !near.empty()) {
        text += "did you mean '" + std::string(near) + "'? ";
    }
    return decode_error(value, context, text + "known keys: " + join(known) + ")");
}

Error unknown_enumerator(Value const& value, DecodeContext const& context,
                         std::vector<std::string_view> const& allowed) {
    auto const* text = value.get_if<std::string>();
    std::string const found = text != nullptr ? "'" + *text + "'" : std::string(value.type_name());
    return decode_error(value, context, "expected one of " + join(allowed) + "; found " + found);
}

Result<std::int64_t> decode_integer(Value const& value, DecodeContext const& context, std::int64_t least,
                                    std::uint64_t most) {
    auto const* integer = value.get_if<std::int64_t>();
    if (integer == nullptr) {
        return std::unexpected(wrong_type(value, context, "an integer"));
    }
    if (*integer < least || (*integer > 0 && static_cast<std::uint64_t>(*integer) > most)) {
        return std::unexpected(decode_error(value, context,
                                            std::to_string(*integer) + " is outside " +
                                                std::to_string(least) + " to " + std::to_string(most)));
    }
    return *integer;
}

Result<std::int64_t> decode_duration_count(Value const& value, DecodeContext const& context,
                                           std::int64_t unit_ns) {
    TRY(auto const text, require_duration(value, context));
    auto const parsed = parse_decimal(text);
    if (!parsed) {
        return std::unexpected(no_duration(value, context, text));
    }
    auto const count = count_of(*parsed, unit_ns);
    if (count) {
        return *count;
    }
    return std::unexpected(decode_error(value, context,
                                        count.error() == Misfit::too_fine
                                            ? "is finer than this setting can hold"
                                            : "is longer than this setting can hold"));
}

Result<double> decode_duration_number(Value const& value, DecodeContext const& context,
                                      std::int64_t unit_ns) {
    TRY(auto const text, require_duration(value, context));
    double number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    auto const* const unit = find_unit(text.substr(static_cast<std::size_t>(end - text.data())));
    if (error != std::errc() || unit == units.end()) {
        return std::unexpected(no_duration(value, context, text));
    }
    return unit->nanoseconds == unit_ns
               ? number
               : number * static_cast<double>(unit->nanoseconds) / static_cast<double>(unit_ns);
}

std::string format_duration_count(std::int64_t count, std::int64_t unit_ns) {
    if (count == 0) {
        return "0s";
    }
    for (auto const& unit : units) {
        if (unit.nanoseconds >= unit_ns && count % (unit.nanoseconds / unit_ns) == 0) {
            return std::to_string(count / (unit.nanoseconds / unit_ns)) + std::string(unit.name);
        }
    }
    std::unreachable();
}

std::string format_duration_number(double number, std::int64_t unit_ns) {
    std::array<char, 32> digits{};
    auto const* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    auto const* const unit = std::ranges::find(units, unit_ns, &Unit::nanoseconds);
    return std::string(std::string_view(digits.data(), end)) + std::string(unit->name);
}

} // namespace sinew::detail
