/// HeldApplication: the place of an application that isn't started, because the machine was reset again and again
/// soon after its start.
///
/// After a reset that nobody can explain it is started after a while all the same: that may have been the power
/// supply. Otherwise it waits for the next start that somebody asks for. Threading: a server.
#pragma once

#include <sinew/otp.hpp>

#include <optional>
#include <string>

namespace sinew::device {

struct HeldApplicationOptions {
    /// Started beside this one.
    ChildSpec application = {};
    std::string why = {};
    std::optional<Duration> release_after = {};
};

class HeldApplication : public Server<HeldApplication> {
public:
    using Options = HeldApplicationOptions;
    struct Release {};
    explicit HeldApplication(Options options);
    void init();
    void handle_info(Release release);

private:
    Options m_options;
};

} // namespace sinew::device
