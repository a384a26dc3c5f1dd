// See may_block.hpp.
#include <sinew/base/may_block.hpp>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace sinew::detail {
namespace {

constinit thread_local char const* t_served = nullptr;

} // namespace

char const* exchange_served(char const* who) noexcept {
    return std::exchange(t_served, who);
}

void end_if_serving(char const* what) noexcept {
    if (t_served == nullptr) {
        return;
    }
    (void)std::fprintf(stderr, "sinew: %s blocks %s; it belongs on the blocking pool: sinew::blocking()\n",
                       what, t_served);
    std::abort();
}

} // namespace sinew::detail
