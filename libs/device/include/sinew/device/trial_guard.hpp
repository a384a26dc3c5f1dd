/// TrialGuard: decides whether a firmware on trial is good.
///
/// On trial: the application has reported ready and stayed up `stable_for` → validate; it is not good by the
/// deadline, or its restart limit was hit → reboot, and the bootloader brings the old slot back. Not on trial
/// it does nothing, except after a rollback: there it validates the running slot again, so that the next boot
/// isn't called a rollback. Invariant: at most one reboot is asked for; a validated slot is never rebooted by
/// it. Threading: a server; `validate` runs on the blocking pool.
#pragma once

#include <sinew/device/application_monitor.hpp>
#include <sinew/device/config.hpp>
#include <sinew/otp.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace sinew::device {

enum class Trial : std::uint8_t { none, pending, rolled_back };

struct TrialGuardOptions {
    Trial trial = Trial::none;
    StartupGuard limits = {};
    /// Makes the running slot the one that is booted from now on. May block.
    std::function<Result<>()> validate = {};
    /// Asks for a reboot, for this reason. Must not block.
    std::function<void(std::string const& why)> reboot = {};
    /// Called in this process when the slot is validated.
    std::function<void()> on_validated = {};
    /// Called in this process after init(): asks for the application's state, which came before a restart of
    /// this.
    std::function<void()> ask_for_news = {};
};

class TrialGuard : public Server<TrialGuard> {
public:
    using Options = TrialGuardOptions;
    struct Deadline {};
    struct StableFor {
        std::uint64_t life = 0;
    };
    struct RetryValidation {};
    /// Asks it to call `on_validated` again if the slot is validated.
    struct Announce {};
    struct IsValidated {
        using Reply = bool;
    };
    explicit TrialGuard(Options options);
    void init();
    void handle_info(ApplicationState const& state);
    void handle_info(StableFor stable);
    void handle_info(Deadline deadline);
    void handle_info(RetryValidation retry);
    void handle_info(Announce announce);
    bool handle_call(IsValidated request);

private:
    void validate();
    void validation_done(Result<> const& result);
    void give_up(std::string const& why);
    Options m_options;
    bool m_is_pending = false;
    bool m_is_validating = false;
    bool m_is_validated = false;
    bool m_is_good = false;
    /// Counts the application's lives, so that a stability timer of an earlier one is recognised.
    std::uint64_t m_life = 0;
    pid_t m_running_pid = 0;
};

} // namespace sinew::device
