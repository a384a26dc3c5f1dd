/// Checks, lists and signs archives.
///
/// Threading: blocks; a call shares nothing with another.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/metadata.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sinew::firmware {

struct VerifyOptions {
    /// Any one of them may have signed. Without a key the signature isn't checked.
    std::vector<PublicKey> public_keys;
    /// If set, meta-platform must be this.
    std::optional<std::string> expected_platform;
    std::function<void(Progress const&)> on_progress;
};

/// Reads the whole archive and checks signature, structure, and the hash of every resource. Errors name
/// exactly one cause: corrupt: the archive is truncated, or which entry or resource is damaged; denied: it
/// isn't signed, or signed by none of the keys (which are named); invalid_argument: it is for another
/// platform.
[[nodiscard]] Result<Metadata> verify_archive(InputStream& archive, VerifyOptions const& options = {});
[[nodiscard]] Result<Metadata> verify_archive(std::filesystem::path const& archive,
                                              VerifyOptions const& options = {});

/// What is there of an archive that is still to be completed.
struct PartialReport {
    /// Everything is there, and good.
    bool is_complete = false;
    /// How many bytes from the beginning on are known to be good. A download can go on from there: what
    /// follows is missing, damaged, or the beginning of a piece that can't be checked yet.
    std::uint64_t good_bytes = 0;
    /// Why it isn't complete, as verify_archive() would say it.
    std::string trouble;
    /// If it reaches that far.
    std::optional<Metadata> metadata;
};

/// Checks as much of an archive as there is: signature, structure, and each piece by its checksum; archives
/// without such checksums by whole entries. Truncation and damage are no errors here. Errors: denied: it
/// isn't signed, or signed by none of the keys; invalid_argument: it is for another platform; io.
[[nodiscard]] Result<PartialReport> verify_partial(InputStream& archive, VerifyOptions const& options = {});
[[nodiscard]] Result<PartialReport> verify_partial(std::filesystem::path const& archive,
                                                   VerifyOptions const& options = {});

/// Signs, or signs anew, `input` into `output` (the same path is allowed). Payload bytes are copied as they
/// are. `output` appears whole or not at all. Errors: corrupt, io, no_space.
[[nodiscard]] Result<> sign_archive(std::filesystem::path const& input, std::filesystem::path const& output,
                                    PrivateKey const& key);

} // namespace sinew::firmware
