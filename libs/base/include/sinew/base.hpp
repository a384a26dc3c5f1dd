/// The front door of libs/base: results, bytes, files, clocks, described types, commands.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/clock.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/value.hpp>
