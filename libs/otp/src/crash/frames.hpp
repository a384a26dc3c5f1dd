/// The stack of a thread that a signal has interrupted, frame by frame.
///
/// Invariant: async-signal-safe where the unwinder is: on x86_64 and arm64 it takes no lock; on arm it may
/// (dl_iterate_phdr(3)), so whoever calls this limits its time. Threading: the thread itself.
#pragma once

#include "crash/line.hpp"

#include <ucontext.h>

#include <cstdint>

namespace sinew::crash {

using FrameFunction = void (*)(std::uintptr_t address);

/// Makes the first walk, which may load a library or resolve a symbol. Not in a signal handler.
void prepare_to_walk() noexcept;
/// Calls `function` for each frame, innermost first, 40 at most, with an address within its call or its
/// failed instruction. `context` is what the signal handler got; null: the caller's own stack.
void walk_frames(ucontext_t* context, FrameFunction function) noexcept;
/// Where the interrupted thread's stack ends.
[[nodiscard]] std::uintptr_t stack_pointer_of(ucontext_t const& context) noexcept;
/// "libc.so.6+0x3c050": the module and the offset within it; an address in none as such. `program` stands for
/// the program itself.
void add_place(Line& line, std::uintptr_t address, std::string_view program) noexcept;

} // namespace sinew::crash
