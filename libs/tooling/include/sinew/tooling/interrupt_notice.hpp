/// While it lives, Ctrl-C, SIGTERM and SIGHUP print a sentence before they end this process as they would
/// have.
///
/// For work that is continued by the next call. One at a time; on the main thread.
#pragma once

namespace sinew::tooling {

class InterruptNotice {
public:
    InterruptNotice();
    ~InterruptNotice();
    InterruptNotice(InterruptNotice const&) = delete;
    InterruptNotice& operator=(InterruptNotice const&) = delete;
    InterruptNotice(InterruptNotice&&) = delete;
    InterruptNotice& operator=(InterruptNotice&&) = delete;
};

/// What it prints, for messages of failures as well.
inline constexpr char const* goes_on_where_it_was = "run again: it goes on where it was";

} // namespace sinew::tooling
