// What `sinew fw` does, each part with the options that its command line filled.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/tooling/context.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sinew::tooling::fw {

struct Options {
    std::string archive;
    std::string script;
    std::string output;
    std::string disk;
    std::string task = "complete";
    std::string key;
    std::string old_archive;
    bool vcdiff = false;
    std::vector<std::string> trusted;
    std::int64_t level = 5;
    bool zstd = false;
    bool partial = false;
    bool trim = false;
    bool verify_writes = false;
    bool minimize_writes = false;
    bool unsafe = false;
    std::int64_t max_size_blocks = 0;
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
