// What the examples of libs/system take for granted (cmake/stage_examples.py).
#include <sinew/firmware.hpp>
#include <sinew/system.hpp>

namespace {
void show(sinew::system::BuildProgress const& /*progress*/) {}
} // namespace

namespace readme {
sinew::Result<> example() {
    // example: libs/system/README.md
    return {};
}
} // namespace readme

namespace front_door {
sinew::Result<> example() {
    // example: sinew/system.hpp
    return {};
}
} // namespace front_door
