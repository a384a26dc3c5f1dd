/// The checks around an update, and what becomes of fwup's words.
#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/device/config.hpp>
#include <sinew/device/update.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
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
    config.accept_unsigned = true;
    config.platform = "x86_64";
    EXPECT_THAT(fwup_command(config, "-", "upgrade").value(), ::testing::Contains("--platform"));
}

TEST(FwupCommand, without_a_key_nothing_is_installed_unless_the_configuration_says_so) {
    auto const folder = TemporaryDirectory::create().value();
    ASSERT_TRUE(write_file_atomically(folder.path() / "update.key", as_bytes("x"))); // Not *.pub.
    DeviceConfig config;
    for (auto const& place : {std::string("/nonexistent"), folder.path().string()}) {
        config.key_directory = place;
        config.accept_unsigned = false;
        auto const refused = fwup_command(config, "-", "upgrade");
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), ErrorCode::denied);
        EXPECT_THAT(refused.error().message(), HasSubstr(place));
        EXPECT_THAT(refused.error().message(), HasSubstr("accept_unsigned"));
        config.accept_unsigned = true;
        EXPECT_EQ(fwup_command(config, "-", "upgrade").value().size(), 10U);
    }
}

/// What the updater reads, and its other end.
struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        read_end = FileDescriptor(ends[0]);
        write_end = FileDescriptor(ends[1]);
    }
    FileDescriptor read_end;
    FileDescriptor write_end;
};

Result<FwupOutcome> run(std::string const& script, std::function<void(int)> const& on_percent = [](int) {}) {
    FileDescriptor const nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return run_fwup({"/bin/sh", "-c", script}, {.descriptor = nothing.get()}, on_percent);
}

TEST(FwupRun, the_update_is_handed_on_as_it_comes) {
    Pipe pipe;
    ASSERT_TRUE(write_all(pipe.write_end, as_bytes("an update\n")));
    pipe.write_end.close();
    auto const outcome = run_fwup({"/bin/cat"}, {.descriptor = pipe.read_end.get()}, [](int) {});
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->last_line, "an update");
}

TEST(FwupRun, a_sender_that_falls_silent_ends_the_update) {
    Pipe pipe;
    ASSERT_TRUE(write_all(pipe.write_end, as_bytes("half of an upd")));
    auto const outcome = run_fwup(
        {"/bin/sh", "-c", "cat >/dev/null; exec sleep 1000"},
        {.descriptor = pipe.read_end.get(), .silence_limit = std::chrono::milliseconds(50)}, [](int) {});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), ErrorCode::timed_out);
    EXPECT_THAT(outcome.error().message(), HasSubstr("silent"));
}

TEST(FwupRun, an_updater_that_never_ends_is_ended) {
    FileDescriptor const nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    auto const outcome =
        run_fwup({"/bin/sleep", "1000"},
                 {.descriptor = nothing.get(), .whole_limit = std::chrono::milliseconds(50)}, [](int) {});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), ErrorCode::timed_out);
}

TEST(FwupRun, a_status_that_cannot_be_had_is_a_failure) {
    auto* const before = std::signal(SIGCHLD, SIG_IGN);
    auto const outcome = run("exit 0");
    (void)std::signal(SIGCHLD, before);
    EXPECT_TRUE(!outcome || outcome->status != 0);
}

TEST(FwupRun, numbers_alone_are_progress_and_the_last_line_is_the_cause) {
    std::vector<int> percents;
    auto const outcome = run("echo 0; echo 55; echo working; echo 'fwup: bad signature' >&2; exit 1",
                             [&](int percent) { percents.push_back(percent); });
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, 1);
    EXPECT_EQ(outcome->last_line, "bad signature");
    EXPECT_THAT(percents, ElementsAre(0, 55));
}

TEST(FwupRun, a_crash_is_a_status_above_128) {
    EXPECT_EQ(run("kill -9 $$").value().status, 137);
    EXPECT_FALSE(run_fwup({"/nonexistent/fwup"}, {}, [](int) {}));
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
