/// The front door of libs/tooling: everything the `sinew` command does, callable from a program or a test.
///
/// The program in apps/sinew only calls run(); each command's own header lies in <sinew/tooling/...>. One
/// command at a time, from the main thread (commands start other programs and install signal handlers).
#pragma once

#include <span>

namespace sinew::tooling {

/// Runs the command line `arguments` (without the program's name) and returns the exit status:
/// 0: done; 1: it failed, said on standard error in one sentence with cause and remedy; 2: the command line
/// is wrong. Blocks until the command is through, which for `run` and `emulate` is when the user ends it.
[[nodiscard]] int run(std::span<char const* const> arguments);

} // namespace sinew::tooling
