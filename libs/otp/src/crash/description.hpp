/// What a crashed thread was doing, in words.
///
/// Invariant: async-signal-safe; reads what the thread itself writes. Threading: the thread itself.
#pragma once

#include "crash/line.hpp"

#include <ucontext.h>

#include <csignal>

namespace sinew::crash {

/// "SIGSEGV at address 0x0 (nothing is there)".
void add_signal(Line& line, siginfo_t const& info, ucontext_t const& context) noexcept;
/// ", in Sensor <7.1> handling Measure, thread 413".
void add_whereabouts(Line& line) noexcept;

} // namespace sinew::crash
