// What the examples of libs/device take for granted (cmake/stage_examples.py).
#include <sinew/device.hpp>
#include <sinew/otp.hpp>

namespace readme {
void example() {
    // example: libs/device/README.md
}
} // namespace readme

namespace os_process {
using namespace sinew::device;
void example() {
    // example: os_process.hpp
}
} // namespace os_process
