// What `sinew fw` does, each part with the options that its command line filled.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/firmware/command_line.hpp>
#include <sinew/tooling/context.hpp>

#include <string>
#include <vector>

namespace sinew::tooling::fw {

struct Options {
    /// What the engine is asked for; the keys are found by the names below.
    firmware::CommandLine engine{.task = "complete"};
    std::string key;
    std::vector<std::string> trusted;
    std::string old_archive;
    bool vcdiff = false;
    bool partial = false;
};

/// Each prints what it did, and returns the exit status.
[[nodiscard]] Result<int> create(Context& context, Options const& options);
[[nodiscard]] Result<int> apply(Context& context, Options const& options);
[[nodiscard]] Result<int> metadata(Context& context, Options const& options);
[[nodiscard]] Result<int> list(Context& context, Options const& options);
[[nodiscard]] Result<int> verify(Context& context, Options const& options);
[[nodiscard]] Result<int> sign(Context& context, Options const& options);
[[nodiscard]] Result<int> delta(Context& context, Options const& options);

} // namespace sinew::tooling::fw
