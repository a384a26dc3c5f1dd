#include <sinew/tooling/upload.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sinew::tooling {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr auto status_text =
    "3b1e\n"
    R"({"product":"blinky","version":"0.1.0","uuid":"old","platform":"x86_64","slot":"a",
    "trial":false,"validated":true,"rolled_back":false,"boot_reason":"power on","uptime_s":12.5,"news":[1],
    "application":{"name":"blinky","state":"running","pid":7,"restarts":0}})";

class UploadWatchTest : public ::testing::Test {
protected:
    DeviceStatus m_before = *parse_device_status(status_text);
    ManualClock m_clock;
    UploadWatch m_watch{m_before, "new", m_clock.now(), 60s};

    [[nodiscard]] DeviceStatus on_slot_b(bool validated) const {
        DeviceStatus status = m_before;
        status.boot_id = "9999";
        status.slot = "b";
        status.uuid = "new";
        status.version = "0.2.0";
        status.trial = true; // and stays so after it was passed
        status.validated = validated;
        return status;
    }
    [[nodiscard]] DeviceStatus back_on_a() const {
        DeviceStatus status = m_before;
        status.boot_id = "aaaa";
        status.rolled_back = true;
        status.boot_reason = "watchdog";
        return status;
    }
    UploadState see(std::optional<DeviceStatus> const& status) {
        m_clock.advance(1s);
        return m_watch.observe(status, m_clock.now());
    }
};

TEST(DeviceStatus, is_read_from_the_boots_name_and_the_json) {
    auto const status = parse_device_status(status_text);
    ASSERT_TRUE(status.has_value()) << status.error().message();
    EXPECT_EQ(status->boot_id, "3b1e");
    EXPECT_EQ(status->version, "0.1.0");
    EXPECT_EQ(status->application_state, "running");
    EXPECT_TRUE(status->validated);
}

TEST(DeviceStatus, that_is_something_else_is_an_error) {
    for (char const* text :
         {"", "boot", "boot\n", "boot\n[]", "boot\n{}", "boot\n{\"slot\":3}", "boot\n{\"slot\":\"a\""}) {
        EXPECT_FALSE(parse_device_status(text).has_value()) << text;
    }
}

TEST_F(UploadWatchTest, goes_from_reboot_over_trial_to_validated) {
    EXPECT_EQ(see(m_before), UploadState::rebooting); // not yet down
    EXPECT_EQ(see(std::nullopt), UploadState::rebooting);
    EXPECT_EQ(see(on_slot_b(false)), UploadState::on_trial);
    EXPECT_EQ(see(on_slot_b(true)), UploadState::validated);
    EXPECT_TRUE(m_watch.is_over());
    EXPECT_EQ(m_watch.last().version, "0.2.0");
    EXPECT_EQ(see(back_on_a()), UploadState::validated) << "the outcome stays";
}

TEST_F(UploadWatchTest, the_old_slot_after_a_reboot_is_a_roll_back) {
    see(std::nullopt);
    see(on_slot_b(false));
    EXPECT_EQ(see(std::nullopt), UploadState::rebooting);
    EXPECT_EQ(see(back_on_a()), UploadState::rolled_back);
    EXPECT_THAT(m_watch.explanation(), HasSubstr("went back to 0.1.0 on slot a"));
    EXPECT_THAT(m_watch.explanation(), HasSubstr("watchdog"));
    EXPECT_THAT(m_watch.explanation(), HasSubstr("was not validated"));
}

TEST_F(UploadWatchTest, a_roll_back_of_the_same_firmware_is_seen_too) {
    m_watch = UploadWatch(m_before, m_before.uuid, m_clock.now(), 60s);
    EXPECT_EQ(see(back_on_a()), UploadState::rolled_back);
}

TEST_F(UploadWatchTest, another_firmware_on_the_new_slot_is_no_success) {
    DeviceStatus other = on_slot_b(true);
    other.uuid = "somebody-elses";
    EXPECT_EQ(see(other), UploadState::rolled_back);
    EXPECT_THAT(m_watch.explanation(), HasSubstr("somebody else"));
}

TEST_F(UploadWatchTest, a_device_that_stays_away_times_out) {
    for (int second = 0; second < 59; ++second) {
        ASSERT_EQ(see(std::nullopt), UploadState::rebooting);
    }
    EXPECT_EQ(see(std::nullopt), UploadState::timed_out);
    EXPECT_THAT(m_watch.explanation(), HasSubstr("did not come back"));
}

TEST_F(UploadWatchTest, a_trial_that_never_ends_times_out_with_the_applications_state) {
    DeviceStatus trial = on_slot_b(false);
    trial.application_state = "starting";
    while (!m_watch.is_over()) {
        see(trial);
    }
    EXPECT_EQ(m_watch.state(), UploadState::timed_out);
    EXPECT_THAT(m_watch.explanation(), HasSubstr("application: starting"));
}

} // namespace
} // namespace sinew::tooling
