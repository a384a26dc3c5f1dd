/// What TOML and JSON write alike: texts in double quotes, numbers, keys.
///
/// Invariant: what is written is UTF-8, whatever the bytes were, and both readers take it.
/// Threading: free functions on values.
#pragma once

#include <sinew/base/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sinew::detail {

/// Appends `text` in double quotes; U+FFFD stands for each byte that isn't UTF-8.
void append_quoted(std::string& out, std::string_view text);

/// Appends the shortest decimal that reads back as `number`, which is finite; never one that looks like an integer.
void append_number(std::string& out, double number);

/// `object` with keys that are UTF-8 and differ from each other; nothing: they do already.
[[nodiscard]] std::optional<Value::Object> with_readable_keys(Value::Object const& object);

} // namespace sinew::detail
