// What the examples of libs/firmware take for granted (cmake/stage_examples.py).
#include <sinew/firmware.hpp>

namespace readme {
// example: libs/firmware/README.md
} // namespace readme

namespace front_door {
using namespace sinew::firmware;
sinew::Result<> example() {
    // example: sinew/firmware.hpp
    return {};
}
} // namespace front_door
