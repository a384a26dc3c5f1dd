/// AlternateStack: where a thread's signal handlers run when its own stack is used up.
///
/// Invariant: while it exists, this thread has one: this, or the one that it had already. Its memory is
/// reserved, and used only by a handler. Threading: made and destroyed by the thread that it is for.
#pragma once

namespace sinew::crash {

class AlternateStack {
public:
    /// Does nothing in a program without ProgramCrashReports. Where memory is short, the thread has none.
    AlternateStack() noexcept;
    ~AlternateStack();
    AlternateStack(AlternateStack const&) = delete;
    AlternateStack& operator=(AlternateStack const&) = delete;
    AlternateStack(AlternateStack&&) = delete;
    AlternateStack& operator=(AlternateStack&&) = delete;

    /// Those that are made from now on have memory.
    static void enable() noexcept;

private:
    void* m_memory = nullptr;
};

} // namespace sinew::crash
