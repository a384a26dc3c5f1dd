/// Shell completion scripts, generated from the commands' descriptions.
#pragma once

#include <sinew/tooling/command.hpp>

#include <string>
#include <vector>

namespace sinew::tooling {

[[nodiscard]] std::string bash_completion(std::vector<Command> const& commands);
[[nodiscard]] std::string zsh_completion(std::vector<Command> const& commands);
[[nodiscard]] std::string fish_completion(std::vector<Command> const& commands);

} // namespace sinew::tooling
