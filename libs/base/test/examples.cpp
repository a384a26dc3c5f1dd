// What the examples of libs/base take for granted (cmake/stage_examples.py).
#include <sinew/base.hpp>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>

namespace readme {
// example: libs/base/README.md
} // namespace readme

namespace describe {
using sinew::Result;
std::string const text;
// example: describe.hpp
} // namespace describe

namespace process {
using namespace sinew;
using namespace std::chrono_literals;
Result<> example() {
    // example: process.hpp
    return {};
}
} // namespace process
