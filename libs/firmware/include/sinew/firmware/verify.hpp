/// Checks, lists and signs archives.
///
/// Threading: blocks; a call shares nothing with another.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/metadata.hpp>

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

/// Signs, or signs anew, `input` into `output` (the same path is allowed). Payload bytes are copied as they
/// are. `output` appears whole or not at all. Errors: corrupt, io, no_space.
[[nodiscard]] Result<> sign_archive(std::filesystem::path const& input, std::filesystem::path const& output,
                                    PrivateKey const& key);

} // namespace sinew::firmware
