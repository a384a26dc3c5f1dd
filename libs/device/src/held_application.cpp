/// Implements HeldApplication.
///
#include <sinew/base/result.hpp>
#include <sinew/device/held_application.hpp>
#include <sinew/otp.hpp>

#include <chrono>
#include <utility>

namespace sinew::device {
namespace {

constexpr Duration start_limit = std::chrono::minutes(5);

} // namespace

HeldApplication::HeldApplication(Options options)
    : m_options(std::move(options)) {}

void HeldApplication::init() {
    log::error("the application isn't started: " + m_options.why);
    if (m_options.release_after) {
        send_after(*m_options.release_after, Release{});
    }
}

void HeldApplication::handle_info(Release /*release*/) {
    auto const linked = links();
    if (linked.empty()) {
        return;
    }
    log::notice("starting the application that was held back");
    request(SupervisorRef(linked.front()), StartChild{m_options.application}, start_limit)
        .then([](Result<Result<Pid>> const& started) {
            if (!started || !*started) {
                log::error("it can't be started: " +
                           (started ? started->error().message() : started.error().message()));
            }
        });
}

} // namespace sinew::device
