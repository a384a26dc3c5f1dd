/// ExitHook and NameClaim: how shared tables take part in the start and the end of a process.
///
/// Invariant: a hook runs once for each time it was added, when the process has given up its names and before
/// its state is destroyed, so nobody hears of the end while a table still shows the process.
/// Threading: hooks run on the scheduler thread of the ending process; they may lock, not wait.
#pragma once

#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/pid.hpp>

#include <memory>

namespace sinew::detail {

struct Behaviour;

class ExitHook {
public:
    ExitHook() = default;
    ExitHook(ExitHook const&) = delete;
    ExitHook& operator=(ExitHook const&) = delete;
    ExitHook(ExitHook&&) = delete;
    ExitHook& operator=(ExitHook&&) = delete;
    virtual ~ExitHook() = default;
    virtual void process_ended(Pid pid, ExitReason const& reason) noexcept = 0;
};

/// Calls hook->process_ended() when the process whose handler runs ends. False: it is ending already.
[[nodiscard]] bool on_exit(std::shared_ptr<ExitHook> hook);

/// The same for the process `pid`, from anywhere; called with noproc when it is gone. Called while no lock is
/// held that process_ended() takes.
void on_exit_of(Pid pid, std::shared_ptr<ExitHook> hook);

/// A name that a new process takes before its init().
class NameClaim {
public:
    NameClaim() = default;
    NameClaim(NameClaim const&) = delete;
    NameClaim& operator=(NameClaim const&) = delete;
    NameClaim(NameClaim&&) = delete;
    NameClaim& operator=(NameClaim&&) = delete;
    virtual ~NameClaim() = default;
    /// In the new process. The empty Pid: the name is its now. Otherwise whose it is.
    [[nodiscard]] virtual Pid claim(Pid pid, Behaviour const& behaviour) const = 0;
};

/// The class the process whose handler runs was made from.
[[nodiscard]] Behaviour const& current_behaviour();

} // namespace sinew::detail
