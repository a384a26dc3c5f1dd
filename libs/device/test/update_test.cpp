/// The checks around an update, and what becomes of fwup's words.
#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/update.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace sinew::device {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(UpdateCheck, a_firmware_on_trial_refuses_and_a_validated_one_does_not) {
    EXPECT_FALSE(check_updatable(R"({"trial":true,"validated":false})", {}));
    EXPECT_TRUE(check_updatable(R"({"trial":true,"validated":true})", {.trial = true}));
    EXPECT_TRUE(check_updatable(R"({"trial":false,"validated":true})", {}));
}

TEST(UpdateCheck, without_a_status_the_boot_report_decides) {
    EXPECT_FALSE(check_updatable("", {.trial = true}));
    EXPECT_FALSE(check_updatable("{torn", {.trial = true}));
    EXPECT_TRUE(check_updatable("", {.trial = false}));
}

TEST(UpdateLock, only_one_can_have_it) {
    auto const folder = TemporaryDirectory::create().value();
    auto const path = folder.path() / "lock";
    {
        auto const first = UpdateLock::acquire(path);
        ASSERT_TRUE(first);
        auto const second = UpdateLock::acquire(path);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code(), ErrorCode::exists);
    }
    EXPECT_TRUE(UpdateLock::acquire(path));
}

TEST(FwupCommand, every_public_key_is_named_and_nothing_else) {
    auto const folder = TemporaryDirectory::create().value();
    for (auto const* name : {"b.pub", "a.pub", "a.priv", "notes"}) {
        ASSERT_TRUE(write_file_atomically(folder.path() / name, as_bytes("x")));
    }
    DeviceConfig config;
    config.key_directory = folder.path();
    auto const a = (folder.path() / "a.pub").string();
    auto const b = (folder.path() / "b.pub").string();
    EXPECT_THAT(fwup_command(config, "-", "upgrade").value(),
                ElementsAre("fwup", "-a", "-n", "-U", "-d", "/dev/rootdisk0", "-i", "-", "-t", "upgrade",
                            "-p", a, "-p", b));
}

TEST(FwupCommand, a_firmware_for_another_platform_is_refused_before_anything_else) {
    DeviceConfig config;
    config.key_directory = "/nonexistent";
    config.platform = "x86_64";
    EXPECT_THAT(fwup_command(config, "-", "upgrade").value(), ::testing::Contains("--platform"));
}

TEST(FwupCommand, a_missing_key_folder_means_no_keys) {
    DeviceConfig config;
    config.key_directory = "/nonexistent";
    EXPECT_EQ(fwup_command(config, "-", "upgrade").value().size(), 10U);
}

TEST(FwupRun, numbers_alone_are_progress_and_the_last_line_is_the_cause) {
    std::vector<int> percents;
    auto const outcome =
        run_fwup({"/bin/sh", "-c", "echo 0; echo 55; echo working; echo 'fwup: bad signature' >&2; exit 1"},
                 [&](int percent) { percents.push_back(percent); });
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, 1);
    EXPECT_EQ(outcome->last_line, "bad signature");
    EXPECT_THAT(percents, ElementsAre(0, 55));
}

TEST(FwupRun, a_crash_is_a_status_above_128) {
    EXPECT_EQ(run_fwup({"/bin/sh", "-c", "kill -9 $$"}, [](int) {}).value().status, 137);
    EXPECT_FALSE(run_fwup({"/nonexistent/fwup"}, [](int) {}));
}

TEST(InstalledFirmware, it_is_read_from_the_slots_variables) {
    auto const folder = TemporaryDirectory::create().value();
    DeviceConfig config;
    config.disk = folder.path() / "disk";
    config.environment = {.block = 4, .block_count = 16, .redundant_block = 20};
    {
        auto const disk = firmware::FileDevice::open(config.disk, firmware::DeviceAccess::create).value();
        firmware::UbootEnvironment environment(
            {.block_offset = 4, .block_count = 16, .redundant_block_offset = 20});
        ASSERT_TRUE(environment.set("b.nerves_fw_version", "0.2.0"));
        ASSERT_TRUE(environment.set("b.nerves_fw_uuid", "1-2-3"));
        ASSERT_TRUE(environment.save(*disk));
    }
    auto const installed = installed_firmware(config, "b").value();
    EXPECT_EQ(installed.version, "0.2.0");
    EXPECT_EQ(installed.uuid, "1-2-3");
    EXPECT_EQ(installed_firmware(config, "a").value().version, "");
    config.environment = {};
    EXPECT_THAT(installed_firmware(config, "b").error().message(), HasSubstr("no U-Boot environment"));
}

} // namespace
} // namespace sinew::device
