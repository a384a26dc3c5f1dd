/// Adds a member to an object in the making.
///
/// Out of line: GCC 12 warns of uninitialised memory where it sees a Value made and moved in one place.
#pragma once

#include <sinew/base/value.hpp>

#include <string>

namespace sinew::detail {

void add_member(Value::Object& object, std::string key, Value::Data data);

} // namespace sinew::detail
