/// How each supported member type becomes a Value and is read back. Use <sinew/base/describe.hpp>.
///
/// A path of keys is kept while decoding, so that every error names the key from the top of the file.
/// Threading: free functions on values.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>

#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
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
/// Nanoseconds of "1.5s", "500ms", "2min", "1h", "10us", "3d".
[[nodiscard]] Result<std::int64_t> decode_duration_ns(Value const& value, DecodeContext const& context);
/// The shortest exact text, e.g. "1500ms" or "2min".
[[nodiscard]] std::string format_duration_ns(std::int64_t nanoseconds);

/// The conversions of one type; specialised below, and not meant to be specialised elsewhere.
template<typename T>
struct Convert;

template<>
struct Convert<Value> {
    static Value encode(Value const& value) { return value; }
    static Result<> decode(Value const& value, Value& out, DecodeContext&) {
        out = value;
        return {};
    }
};

template<>
struct Convert<bool> {
    static Value encode(bool value) { return Value(value); }
    static Result<> decode(Value const& value, bool& out, DecodeContext& context) {
        auto const* boolean = value.get_if<bool>();
        if (boolean == nullptr) {
            return std::unexpected(wrong_type(value, context, "true or false"));
        }
        out = *boolean;
        return {};
    }
};

template<std::integral T>
struct Convert<T> {
    static_assert(sizeof(T) < 8 || std::is_signed_v<T>,
                  "64-bit unsigned integers do not fit TOML's integers");
    static Value encode(T value) { return Value(static_cast<std::int64_t>(value)); }
    static Result<> decode(Value const& value, T& out, DecodeContext& context) {
        TRY(auto const integer,
            decode_integer(value, context, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
        out = static_cast<T>(integer);
        return {};
    }
};

template<std::floating_point T>
struct Convert<T> {
    static Value encode(T value) { return Value(static_cast<double>(value)); }
    static Result<> decode(Value const& value, T& out, DecodeContext& context) {
        if (auto const* number = value.get_if<double>()) {
            out = static_cast<T>(*number);
        } else if (auto const* integer = value.get_if<std::int64_t>()) {
            out = static_cast<T>(*integer);
        } else {
            return std::unexpected(wrong_type(value, context, "a number"));
        }
        return {};
    }
};

template<>
struct Convert<std::string> {
    static Value encode(std::string const& value) { return Value(value); }
    static Result<> decode(Value const& value, std::string& out, DecodeContext& context) {
        auto const* text = value.get_if<std::string>();
        if (text == nullptr) {
            return std::unexpected(wrong_type(value, context, "a string"));
        }
        out = *text;
        return {};
    }
};

template<>
struct Convert<std::filesystem::path> {
    static Value encode(std::filesystem::path const& value) { return Value(value.string()); }
    static Result<> decode(Value const& value, std::filesystem::path& out, DecodeContext& context) {
        std::string text;
        TRY_OK(Convert<std::string>::decode(value, text, context));
        out = std::move(text);
        return {};
    }
};

template<typename Rep, typename Period>
struct Convert<std::chrono::duration<Rep, Period>> {
    using Duration = std::chrono::duration<Rep, Period>;
    static Value encode(Duration value) {
        return Value(format_duration_ns(std::chrono::duration_cast<std::chrono::nanoseconds>(value).count()));
    }
    static Result<> decode(Value const& value, Duration& out, DecodeContext& context) {
        TRY(auto const nanoseconds, decode_duration_ns(value, context));
        auto const exact = std::chrono::nanoseconds(nanoseconds);
        out = std::chrono::duration_cast<Duration>(exact);
        if (std::chrono::nanoseconds(out) != exact) {
            return std::unexpected(decode_error(value, context, "is finer than this setting can hold"));
        }
        return {};
    }
};

template<typename T>
struct Convert<std::optional<T>> {
    static Value encode(std::optional<T> const& value) {
        return value ? Convert<T>::encode(*value) : Value();
    }
    static Result<> decode(Value const& value, std::optional<T>& out, DecodeContext& context) {
        if (value.get_if<std::monostate>() != nullptr) {
            out.reset();
            return {};
        }
        T inner = out.value_or(T{});
        TRY_OK(Convert<T>::decode(value, inner, context));
        out = std::move(inner);
        return {};
    }
};

template<typename T>
struct Convert<std::vector<T>> {
    static Value encode(std::vector<T> const& value) {
        Value::Array array;
        array.reserve(value.size());
        for (auto const& element : value) {
            array.push_back(Convert<T>::encode(element));
        }
        return Value(std::move(array));
    }
    static Result<> decode(Value const& value, std::vector<T>& out, DecodeContext& context) {
        auto const* array = value.get_if<Value::Array>();
        if (array == nullptr) {
            return std::unexpected(wrong_type(value, context, "an array"));
        }
        std::vector<T> elements(array->size());
        for (std::size_t i = 0; i < array->size(); ++i) {
            PathScope const scope(context, std::to_string(i));
            T element{};
            TRY_OK(Convert<T>::decode((*array)[i], element, context));
            elements[i] = std::move(element);
        }
        out = std::move(elements);
        return {};
    }
};

template<typename T>
struct Convert<std::map<std::string, T>> {
    static Value encode(std::map<std::string, T> const& value) {
        Value::Object object;
        for (auto const& [key, member] : value) {
            object.emplace_back(key, Convert<T>::encode(member));
        }
        return Value(std::move(object));
    }
    static Result<> decode(Value const& value, std::map<std::string, T>& out, DecodeContext& context) {
        auto const* object = value.get_if<Value::Object>();
        if (object == nullptr) {
            return std::unexpected(wrong_type(value, context, "a table"));
        }
        std::map<std::string, T> members;
        for (auto const& [key, member] : *object) {
            PathScope const scope(context, key);
            TRY_OK(Convert<T>::decode(member, members[key], context));
        }
        out = std::move(members);
        return {};
    }
};

template<typename T>
    requires std::is_enum_v<T>
struct Convert<T> {
    static Value encode(T value) {
        std::string name;
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
            if (enumerator.value == value) {
                name = enumerator.name;
            }
        });
        return Value(std::move(name));
    }
    static Result<> decode(Value const& value, T& out, DecodeContext& context) {
        auto const* text = value.get_if<std::string>();
        bool found = false;
        std::vector<std::string_view> allowed;
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
            allowed.emplace_back(enumerator.name);
            if (text != nullptr && *text == enumerator.name) {
                out = enumerator.value;
                found = true;
            }
        });
        if (!found) {
            return std::unexpected(unknown_enumerator(value, context, allowed));
        }
        return {};
    }
};

template<typename T>
    requires boost::describe::has_describe_members<T>::value
struct Convert<T> {
    using Members =
        boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

    static Value encode(T const& object) {
        Value::Object members;
        boost::mp11::mp_for_each<Members>([&](auto member) {
            using Member = std::remove_cvref_t<decltype(object.*member.pointer)>;
            members.emplace_back(member.name, Convert<Member>::encode(object.*member.pointer));
        });
        return Value(std::move(members));
    }

    static Result<> decode(Value const& value, T& out, DecodeContext& context) {
        auto const* object = value.get_if<Value::Object>();
        if (object == nullptr) {
            return std::unexpected(wrong_type(value, context, "a table"));
        }
        for (auto const& [key, member] : *object) {
            TRY_OK(decode_member(key, member, out, context));
        }
        return {};
    }

private:
    static Result<> decode_member(std::string const& key, Value const& value, T& out,
                                  DecodeContext& context) {
        Result<> outcome;
        bool found = false;
        std::vector<std::string_view> known;
        boost::mp11::mp_for_each<Members>([&](auto member) {
            known.emplace_back(member.name);
            if (!found && key == member.name) {
                found = true;
                PathScope const scope(context, key);
                using Member = std::remove_cvref_t<decltype(out.*member.pointer)>;
                outcome = Convert<Member>::decode(value, out.*member.pointer, context);
            }
        });
        if (!found) {
            return std::unexpected(unknown_key(value, context, key, known));
        }
        return outcome;
    }
};

} // namespace sinew::detail
