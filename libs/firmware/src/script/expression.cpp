/// A recursive-descent evaluator. Invariant: recursion is bounded by `deepest_nesting`. Threading: no shared
/// state.
#include "script/expression.hpp"

#include <sinew/base/result.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr int deepest_nesting = 16;

constexpr std::array<std::pair<std::string_view, std::int64_t>, 9> suffixes{{
    // The two-letter ones first: "kB" must not be read as an unknown "k".
    {"kB", 1000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"K", 1024},
    {"M", 1024 * 1024},
    {"G", 1024 * 1024 * 1024},
    {"c", 1},
    {"w", 2},
    {"b", 512},
}};

class Evaluator {
public:
    explicit Evaluator(std::string_view text)
        : m_text(text) {}

    Result<std::int64_t> run() {
        TRY(auto const value, sum(0));
        skip_space();
        if (m_at != m_text.size()) {
            return fail("unexpected '" + std::string(1, m_text[m_at]) + "'");
        }
        return value;
    }

private:
    [[nodiscard]] std::unexpected<Error> fail(std::string const& what) const {
        return failure(ErrorCode::invalid_argument, "can't evaluate '" + std::string(m_text.substr(0, 80)) +
                                                        "': " + what + " at character " +
                                                        std::to_string(m_at + 1));
    }
    void skip_space() {
        while (m_at < m_text.size() && (m_text[m_at] == ' ' || m_text[m_at] == '\t' || m_text[m_at] == '\n' ||
                                        m_text[m_at] == '\r')) {
            ++m_at;
        }
    }
    bool accept(char symbol) {
        skip_space();
        if (m_at < m_text.size() && m_text[m_at] == symbol) {
            ++m_at;
            return true;
        }
        return false;
    }

    Result<std::int64_t> sum(int depth) {
        TRY(auto value, product(depth));
        while (true) {
            bool const add = accept('+');
            if (!add && !accept('-')) {
                return value;
            }
            TRY(auto const right, product(depth));
            if (add ? __builtin_add_overflow(value, right, &value)
                    : __builtin_sub_overflow(value, right, &value)) {
                return fail("the result doesn't fit in 64 bits");
            }
        }
    }

    Result<std::int64_t> product(int depth) {
        TRY(auto value, power(depth));
        while (true) {
            bool const multiply = accept('*');
            if (!multiply && !accept('/')) {
                return value;
            }
            TRY(auto const right, power(depth));
            if (multiply) {
                if (__builtin_mul_overflow(value, right, &value)) {
                    return fail("the result doesn't fit in 64 bits");
                }
            } else if (right == 0) {
                return fail("division by zero");
            } else if (right == -1) {
                if (__builtin_sub_overflow(std::int64_t{0}, value, &value)) {
                    return fail("the result doesn't fit in 64 bits");
                }
            } else {
                value /= right;
            }
        }
    }

    /// `^` binds to the right, and tighter than the minus before it: -2^2 is -4.
    Result<std::int64_t> power(int depth) {
        if (depth >= deepest_nesting) {
            return fail("nested too deeply");
        }
        if (accept('-')) {
            TRY(auto const value, power(depth + 1));
            std::int64_t negated = 0;
            if (__builtin_sub_overflow(std::int64_t{0}, value, &negated)) {
                return fail("the result doesn't fit in 64 bits");
            }
            return negated;
        }
        TRY(auto const base, operand(depth));
        if (!accept('^')) {
            return base;
        }
        TRY(auto const exponent, power(depth + 1));
        return raise(base, exponent);
    }

    [[nodiscard]] Result<std::int64_t> raise(std::int64_t base, std::int64_t exponent) const {
        if (exponent < 0) {
            return fail("a negative exponent");
        }
        std::int64_t value = 1;
        // Beyond 63 factors only 0, 1 and -1 stay in range, and for those the parity decides.
        if (exponent > 64) {
            exponent = 64 + exponent % 2;
        }
        for (; exponent > 0; --exponent) {
            if (__builtin_mul_overflow(value, base, &value)) {
                return fail("the result doesn't fit in 64 bits");
            }
        }
        return value;
    }

    /// A number or what is in parentheses, and the suffixes behind it.
    Result<std::int64_t> operand(int depth) {
        std::int64_t value = 0;
        if (accept('(')) {
            TRY(value, sum(depth + 1));
            if (!accept(')')) {
                return fail("a ')' is missing");
            }
        } else {
            TRY(value, number());
        }
        while (auto const factor = suffix()) {
            if (__builtin_mul_overflow(value, *factor, &value)) {
                return fail("the result doesn't fit in 64 bits");
            }
        }
        return value;
    }

    std::optional<std::int64_t> suffix() {
        skip_space();
        for (auto const& [text, factor] : suffixes) {
            if (m_text.substr(m_at).starts_with(text)) {
                m_at += text.size();
                return factor;
            }
        }
        return std::nullopt;
    }

    Result<std::int64_t> number() {
        skip_space();
        int base = 10;
        auto rest = m_text.substr(m_at);
        if (rest.starts_with("0x") || rest.starts_with("0X")) {
            base = 16;
            m_at += 2;
        } else if (rest.size() > 1 && rest[0] == '0' && rest[1] >= '0' && rest[1] <= '7') {
            base = 8;
        }
        std::int64_t value = 0;
        auto const* const end = m_text.data() + m_text.size();
        auto const parsed = std::from_chars(m_text.data() + m_at, end, value, base);
        if (parsed.ec == std::errc::result_out_of_range) {
            return fail("a number that doesn't fit in 64 bits");
        }
        if (parsed.ec != std::errc() || (base == 16 && m_text[m_at] == '-')) {
            return fail("expected a number");
        }
        m_at = static_cast<std::size_t>(parsed.ptr - m_text.data());
        return value;
    }

    std::string_view m_text;
    std::size_t m_at = 0;
};

} // namespace

Result<std::int64_t> evaluate_expression(std::string_view text) {
    return Evaluator(text).run();
}

} // namespace sinew::firmware
