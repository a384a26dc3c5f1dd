// What the examples of libs/tooling take for granted (cmake/stage_examples.py).
#include <sinew/tooling.hpp>
#include <sinew/tooling/command.hpp>
#include <sinew/tooling/console.hpp>
#include <sinew/tooling/context.hpp>

#include <memory>

namespace readme {
using namespace sinew;
using namespace sinew::tooling;
struct Options {
    bool all = false;
};
// example: libs/tooling/README.md
} // namespace readme
