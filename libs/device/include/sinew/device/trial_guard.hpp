/// TrialGuard: decides whether a firmware on trial is good.
///
/// On trial: all named conditions have held together for `stable_for` → validate; they haven't by the deadline, or
/// one can't hold any more → reboot, and the bootloader brings the old slot back. A reboot that doesn't come is
/// asked for again, and in the end made without PID 1. Not on trial it does nothing, except after a rollback: there
/// it validates the running slot again, so that the next boot isn't called a rollback. Invariant: a validated slot
/// is never rebooted by it. Threading: a server; `validate` runs on the blocking pool.
#pragma once

#include <sinew/device/application_monitor.hpp>
#include <sinew/device/config.hpp>
#include <sinew/otp.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sinew::device {

enum class Trial : std::uint8_t { none, pending, rolled_back };

/// One thing that must be so before a firmware counts as good.
struct TrialCondition {
    /// "application", "data", "ssh".
    std::string name = {};
    bool holds = false;
    /// What is the matter while it doesn't hold.
    std::string detail = {};
    /// It won't hold any more before the next start.
    bool is_final = false;
};

struct TrialGuardOptions {
    Trial trial = Trial::none;
    StartupGuard limits = {};
    /// Those that count, as they are at the start; news of others is passed over.
    std::vector<TrialCondition> conditions = {};
    /// Makes the running slot the one that is booted from now on. May block.
    std::function<Result<>()> validate = {};
    /// Asks for a reboot, for this reason. May block.
    std::function<void(std::string const& why)> reboot = {};
    /// Called in this process when it has given up, before it asks for a reboot.
    std::function<void()> on_given_up = {};
    /// Reboots without PID 1, which hasn't done it for a minute.
    std::function<void()> force_reboot = {};
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
        std::uint64_t time = 0;
    };
    struct AskAgain {};
    struct RetryValidation {};
    /// Asks it to call `on_validated` again if the slot is validated.
    struct Announce {};
    struct IsValidated {
        using Reply = bool;
    };
    explicit TrialGuard(Options options);
    void init();
    void handle_info(ApplicationState const& state);
    void handle_info(TrialCondition condition);
    void handle_info(AskAgain again);
    void handle_info(StableFor stable);
    void handle_info(Deadline deadline);
    void handle_info(RetryValidation retry);
    void handle_info(Announce announce);
    bool handle_call(IsValidated request);

private:
    [[nodiscard]] bool all_hold() const;
    enum class Missing : std::uint8_t { now, for_good };
    [[nodiscard]] std::string what_is_missing(Missing which) const;
    void look();
    void validate();
    void validation_done(Result<> const& result);
    void give_up(std::string const& why);
    Options m_options;
    bool m_is_pending = false;
    bool m_is_validating = false;
    bool m_is_validated = false;
    bool m_is_good = false;
    bool m_all_held = false;
    /// Counts the times that all conditions began to hold, so that the timer of an earlier one is recognised.
    std::uint64_t m_times = 0;
    pid_t m_running_pid = 0;
    std::string m_why_rebooting;
    int m_reboots_asked = 0;
};

} // namespace sinew::device
