/// Settings that a device can't live with, as its files and `sinew firmware` refuse them.
#include <sinew/base/bytes.hpp>
#include <sinew/base/describe.hpp>
#include <sinew/base/file.hpp>
#include <sinew/device/check_config.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/load_config.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace sinew::device {
namespace {

using ::testing::HasSubstr;

/// What is said of the file `text`; empty: it is fine.
template<typename Config>
std::string fault_of(std::string_view text) {
    auto const config = from_toml<Config>(text, "file");
    if (!config) {
        return config.error().message();
    }
    auto const good = check(*config, "sinew.toml");
    return good ? std::string() : good.error().message();
}
std::string device_fault(std::string_view text) {
    return fault_of<DeviceConfig>(text);
}
std::string init_fault(std::string_view text) {
    return fault_of<InitConfig>(text);
}

TEST(CheckConfig, what_every_device_starts_with_is_fine) {
    EXPECT_EQ(device_fault(""), "");
    EXPECT_EQ(init_fault(""), "");
    EXPECT_EQ(device_fault("[ssh]\nport = 2222\n[watchdog]\npath = \"\"\n[network]\ninterface = \"\"\n"), "");
    EXPECT_EQ(device_fault("[environment]\nblock = 2048\nblock_count = 16\nredundant_block = 2064\n"), "");
}

TEST(CheckConfig, a_port_nobody_can_connect_to_is_refused) {
    EXPECT_EQ(device_fault("[ssh]\nport = 70000\n"), "sinew.toml: ssh.port: 70000 is outside 1 to 65535");
    EXPECT_THAT(device_fault("[ssh]\nport = 0\n"), HasSubstr("ssh.port: 0 is outside"));
    EXPECT_THAT(device_fault("[ssh]\nport = -22\n"), HasSubstr("ssh.port"));
}

TEST(CheckConfig, a_trial_that_can_not_end_well_is_refused) {
    EXPECT_EQ(device_fault("[startup_guard]\nstable_for = \"61s\"\ndeadline = \"1min\"\n"),
              "sinew.toml: startup_guard.stable_for: 61s isn't shorter than the deadline, 1min: no update "
              "could ever "
              "be validated");
    EXPECT_THAT(device_fault("[startup_guard]\ndeadline = \"-60s\"\n"),
                HasSubstr("-1min is outside 5s to 1d"));
    EXPECT_THAT(device_fault("[startup_guard]\nstable_for = \"-1s\"\n"),
                HasSubstr("stable_for: -1s is outside"));
}

TEST(CheckConfig, a_condition_that_nobody_knows_and_an_impatient_limit_are_refused) {
    EXPECT_EQ(device_fault("[startup_guard]\nconditions = []\n"), "");
    EXPECT_THAT(device_fault("[startup_guard]\nconditions = [\"data\", \"network\"]\n"),
                HasSubstr("'network' is none of application, data and ssh"));
    EXPECT_EQ(device_fault("[application]\nanswer_limit = \"0s\"\n"), "");
    EXPECT_THAT(device_fault("[application]\nanswer_limit = \"1ms\"\n"),
                HasSubstr("application.answer_limit"));
}

TEST(CheckConfig, a_watchdog_that_resets_a_healthy_machine_is_refused) {
    EXPECT_EQ(device_fault("[watchdog]\ntimeout = \"1ms\"\n"),
              "sinew.toml: watchdog.timeout: 1ms is outside 5s to 1h");
    EXPECT_THAT(init_fault("[watchdog]\ntimeout = \"2h\"\n"), HasSubstr("watchdog.timeout: 2h"));
    EXPECT_THAT(init_fault("[watchdog]\npath = \"watchdog0\"\n"), HasSubstr("no absolute path"));
}

TEST(CheckConfig, negative_counts_and_lengths_of_time_are_refused) {
    EXPECT_THAT(device_fault("[application]\nmax_restarts = -1\n"), HasSubstr("-1 is outside 0 to 1000"));
    EXPECT_THAT(device_fault("[application]\nrestart_period = \"-30s\"\n"),
                HasSubstr("restart_period: -30s"));
    EXPECT_THAT(init_fault("shutdown_grace = \"-1s\"\n"), HasSubstr("shutdown_grace: -1s"));
    EXPECT_THAT(init_fault("build_time = -1\n"), HasSubstr("build_time"));
    EXPECT_THAT(init_fault("[partitions]\ndata = -7\n"), HasSubstr("partitions.data: -7"));
}

TEST(CheckConfig, programs_and_places_must_be_named) {
    EXPECT_THAT(init_fault("command = []\n"), HasSubstr("command: names no program"));
    EXPECT_THAT(init_fault("command = [\"sinewd\"]\n"), HasSubstr("command: 'sinewd' is no absolute path"));
    EXPECT_THAT(init_fault("data_path = \"/\"\n"), HasSubstr("data_path"));
    EXPECT_THAT(init_fault("modules = [\"ext4.ko\"]\n"), HasSubstr("modules: 'ext4.ko'"));
    EXPECT_THAT(init_fault("disk_signature = \"0x12\"\n"), HasSubstr("disk_signature"));
    EXPECT_THAT(device_fault("[[services]]\nname = \"gpsd\"\n"),
                HasSubstr("services.gpsd.command: names no program"));
    EXPECT_THAT(
        device_fault(
            "[[services]]\nname = \"a\"\ncommand = [\"x\"]\n[[services]]\nname = \"a\"\ncommand = [\"x\"]\n"),
        HasSubstr("two of this name"));
    EXPECT_THAT(device_fault("[network]\ninterface = \"a name too long for it\"\n"),
                HasSubstr("network.interface"));
    EXPECT_THAT(device_fault("key_directory = \"etc/sinew/keys\"\n"), HasSubstr("key_directory"));
    EXPECT_THAT(device_fault("product = \"a\\nb\"\n"), HasSubstr("product: holds a control character"));
    EXPECT_THAT(device_fault("[environment]\nblock = 2048\nblock_count = 16\nredundant_block = 2050\n"),
                HasSubstr("redundant_block: lies on the first copy"));
}

TEST(CheckConfig, a_devices_own_file_is_held_to_the_same_rules) {
    auto const folder = TemporaryDirectory::create().value();
    auto const path = folder.path() / "device.toml";
    ASSERT_TRUE(write_file_atomically(path, as_bytes("[ssh]\nport = 0\n")));
    EXPECT_EQ(load_device_config(path).error().message(),
              path.string() + ": ssh.port: 0 is outside 1 to 65535");
    ASSERT_TRUE(write_file_atomically(path, as_bytes("command = []\n")));
    EXPECT_THAT(load_init_config(path).error().message(), HasSubstr("names no program"));
}

} // namespace
} // namespace sinew::device
