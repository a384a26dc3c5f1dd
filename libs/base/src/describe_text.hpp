/// What decoding says and reads: error texts, integers, durations.
///
/// A path of keys is kept while decoding, so that every error names the key from the top of the file.
/// Threading: free functions on values.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sinew::detail {

struct DecodeContext {
    std::string_view source_name;
    /// The keys from the top, joined by dots.
    std::string path;
};

/// Appends ".key" to the context's path as long as it lives.
class PathScope {
public:
    PathScope(DecodeContext& context, std::string_view key);
    PathScope(PathScope const&) = delete;
    PathScope& operator=(PathScope const&) = delete;
    ~PathScope() { m_context.path.resize(m_length); }

private:
    DecodeContext& m_context;
    std::size_t m_length;
};

/// "file:line: key: message".
[[nodiscard]] Error decode_error(Value const& value, DecodeContext const& context,
                                 std::string const& message);
[[nodiscard]] Error wrong_type(Value const& value, DecodeContext const& context, std::string_view expected);
[[nodiscard]] Error unknown_key(Value const& value, DecodeContext const& context, std::string_view key,
                                std::vector<std::string_view> const& known);
[[nodiscard]] Error unknown_enumerator(Value const& value, DecodeContext const& context,
                                       std::vector<std::string_view> const& allowed);
[[nodiscard]] Result<std::int64_t> decode_integer(Value const& value, DecodeContext const& context,
                                                  std::int64_t least, std::uint64_t most);
/// "1.5s", "-500ms", "2min", "1h", "10us", "3d" as a number of units of `unit_ns`, exactly.
[[nodiscard]] Result<std::int64_t> decode_duration_count(Value const& value, DecodeContext const& context,
                                                         std::int64_t unit_ns);
/// The same for a type of floating point, which also reads "infs" and "nans".
[[nodiscard]] Result<double> decode_duration_number(Value const& value, DecodeContext const& context,
                                                    std::int64_t unit_ns);
/// The text with the largest unit that makes a whole number, e.g. "1500ms" or "2min".
[[nodiscard]] std::string format_duration_count(std::int64_t count, std::int64_t unit_ns);
[[nodiscard]] std::string format_duration_number(double number, std::int64_t unit_ns);

} // namespace sinew::detail
