#include "log/add_member.hpp"

#include <string>
#include <utility>

namespace sinew::detail {

void add_member(Value::Object& object, std::string key, Value::Data data) {
    object.emplace_back(std::move(key), Value(std::move(data)));
}

} // namespace sinew::detail
