// The `sinew` command. Everything it does is in libs/tooling.
#include <sinew/tooling.hpp>

#include <span>

int main(int argc, char** argv) {
    std::span<char const* const> const arguments(argv, static_cast<std::size_t>(argc));
    return sinew::tooling::run(arguments.empty() ? arguments : arguments.subspan(1));
}
