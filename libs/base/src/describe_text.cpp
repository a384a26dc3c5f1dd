/// The parts of decoding that need no table: error texts, integers, durations.
#include "describe_text.hpp"

#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
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

std::string join(std::vector<std::string_view> const& words) {
    std::string text;
    for (auto const word : words) {
        text += text.empty() ? "" : ", ";
        text += word;
    }
    return text;
}

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

Result<std::int64_t> decode_duration_ns(Value const& value, DecodeContext const& context) {
    constexpr std::string_view expected = R"(a duration such as "500ms", "5s", "2min", "1h")";
    auto const* text = value.get_if<std::string>();
    if (text == nullptr) {
        return std::unexpected(wrong_type(value, context, expected));
    }
    double number = 0;
    auto const [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    auto const unit_name = std::string_view(*text).substr(static_cast<std::size_t>(end - text->data()));
    auto const* const unit = std::find_if(units.begin(), units.end(),
                                          [&](Unit const& candidate) { return candidate.name == unit_name; });
    if (error != std::errc() || unit == units.end() || !std::isfinite(number)) {
        return std::unexpected(
            decode_error(value, context, "expected " + std::string(expected) + "; found '" + *text + "'"));
    }
    double const nanoseconds = std::round(number * static_cast<double>(unit->nanoseconds));
    if (nanoseconds < 0 || nanoseconds > 9.0e18) {
        return std::unexpected(decode_error(value, context, "'" + *text + "' is outside 0 to 292 years"));
    }
    return static_cast<std::int64_t>(nanoseconds);
}

std::string format_duration_ns(std::int64_t nanoseconds) {
    if (nanoseconds == 0) {
        return "0s";
    }
    for (auto const& unit : units) {
        if (nanoseconds % unit.nanoseconds == 0) {
            return std::to_string(nanoseconds / unit.nanoseconds) + std::string(unit.name);
        }
    }
    std::unreachable();
}

} // namespace sinew::detail
