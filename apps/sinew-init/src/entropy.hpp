/// Carries the randomness of one run over to the next, so that the first keys of a device aren't guessable.
///
/// Invariant: a seed is credited at most once: its file is gone from the medium before the kernel counts it.
/// Threading: one thread.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>

namespace sinew::init {

/// What the kernel needs to consider itself seeded.
inline constexpr std::size_t seed_bytes = 32;

/// A seed and whether it may be counted as entropy. Its file is "SEED1" or "SEED0" (creditable or not) and 32
/// bytes.
struct Seed {
    Bytes bytes;
    bool creditable = false;
};

[[nodiscard]] Bytes format_seed(Seed const& seed);
/// Nothing: not a seed file.
[[nodiscard]] std::optional<Seed> parse_seed(BytesView file);

/// Takes the seed out of `file`, if there is one, and gives it to the kernel. Error: the file can't be
/// removed (then it is mixed in without being counted), or the kernel refuses.
[[nodiscard]] Result<> restore_seed(std::filesystem::path const& file);

/// Draws a new seed from the kernel into `file`. Not creditable while the kernel isn't seeded itself.
[[nodiscard]] Result<> save_seed(std::filesystem::path const& file);

} // namespace sinew::init
