/// The messages that the runtime itself puts into mailboxes: by these constants it knows them again there.
///
/// Threading: constants.
#pragma once

#include <sinew/otp/detail/envelope.hpp>

namespace sinew::detail {

/// Of a message Exit.
extern MessageOps const exit_message_ops;
/// Of a message Down.
extern MessageOps const down_message_ops;

} // namespace sinew::detail
