/// SSH public keys as lines of authorized_keys (sshd(8)).
///
/// Threading: pure functions.
#pragma once

#include <sinew/base/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sinew::tooling {

/// Whether the SSH server of a device (dropbear) would let in who has the key of this line. Options in front of it
/// are fine. Error invalid_argument says what is wrong with it: nobody could log in, and the server wouldn't tell.
[[nodiscard]] Result<> check_ssh_key_line(std::string_view line);

/// The keys in the text of a .pub or authorized_keys file; empty lines and comments are left out. Error
/// invalid_argument: there is none, or one is no key.
[[nodiscard]] Result<std::vector<std::string>> ssh_key_lines(std::string_view text);

} // namespace sinew::tooling
