/// Whether two trees hold the same, to the last bit of their numbers.
#pragma once

#include <sinew/base/value.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace sinew {

inline bool is_same(Value const& left, Value const& right) {
    if (left.data().index() != right.data().index()) {
        return false;
    }
    if (auto const* number = left.get_if<double>()) {
        auto const other = *right.get_if<double>();
        return (std::isnan(*number) && std::isnan(other)) ||
               std::bit_cast<std::uint64_t>(*number) == std::bit_cast<std::uint64_t>(other);
    }
    if (auto const* array = left.get_if<Value::Array>()) {
        auto const& other = *right.get_if<Value::Array>();
        for (std::size_t at = 0; at < array->size() && array->size() == other.size(); ++at) {
            if (!is_same((*array)[at], other[at])) {
                return false;
            }
        }
        return array->size() == other.size();
    }
    if (auto const* object = left.get_if<Value::Object>()) {
        auto const& other = *right.get_if<Value::Object>();
        for (std::size_t at = 0; at < object->size() && object->size() == other.size(); ++at) {
            if ((*object)[at].first != other[at].first || !is_same((*object)[at].second, other[at].second)) {
                return false;
            }
        }
        return object->size() == other.size();
    }
    if (auto const* text = left.get_if<std::string>()) {
        return *text == *right.get_if<std::string>();
    }
    if (auto const* integer = left.get_if<std::int64_t>()) {
        return *integer == *right.get_if<std::int64_t>();
    }
    auto const* boolean = left.get_if<bool>();
    return boolean == nullptr || *boolean == *right.get_if<bool>();
}

} // namespace sinew
