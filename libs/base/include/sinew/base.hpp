/// The front door of libs/base: results, bytes, text, files, clocks, described types, programs.
#pragma once

#include <sinew/base/bytes.hpp>       // IWYU pragma: export
#include <sinew/base/clock.hpp>       // IWYU pragma: export
#include <sinew/base/command.hpp>     // IWYU pragma: export
#include <sinew/base/describe.hpp>    // IWYU pragma: export
#include <sinew/base/exit_status.hpp> // IWYU pragma: export
#include <sinew/base/file.hpp>        // IWYU pragma: export
#include <sinew/base/process.hpp>     // IWYU pragma: export
#include <sinew/base/result.hpp>      // IWYU pragma: export
#include <sinew/base/text.hpp>        // IWYU pragma: export
#include <sinew/base/unix_socket.hpp> // IWYU pragma: export
#include <sinew/base/utf8.hpp>        // IWYU pragma: export
#include <sinew/base/value.hpp>       // IWYU pragma: export
