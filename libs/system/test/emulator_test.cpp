/// QEMU's command line, and the device's configuration: what a target says reaches them.
#include "support.hpp"

#include <sinew/base/result.hpp>
#include <sinew/system/device_files.hpp>
#include <sinew/system/emulator.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sinew::system {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// The word after `option`.
std::string value_of(std::vector<std::string> const& command, std::string_view option) {
    auto const found = std::ranges::find(command, option);
    return found == command.end() || std::next(found) == command.end() ? "none" : *std::next(found);
}

TEST(Emulator, the_command_runs_the_target_s_machine) {
    auto const description = description_of(x86_64_text());
    auto const command = emulator_command(description, {.image = "disk.img", .ssh_port = 2222});
    ASSERT_TRUE(command) << command.error().message();
    EXPECT_EQ(command->front(), "qemu-system-x86_64");
    EXPECT_EQ(value_of(*command, "-machine"), description.emulator.machine);
    EXPECT_EQ(value_of(*command, "-m"), std::to_string(description.emulator.memory_mib));
    EXPECT_EQ(value_of(*command, "-accel"), "tcg");
    EXPECT_THAT(value_of(*command, "-drive"), HasSubstr("file=disk.img,format=raw"));
    EXPECT_THAT(value_of(*command, "-netdev"), HasSubstr("hostfwd=tcp:127.0.0.1:2222-:22"));
    EXPECT_THAT(*command, Contains("i6300esb"));
}

TEST(Emulator, with_kvm_the_host_s_processor_is_used) {
    auto const command = emulator_command(description_of(x86_64_text()),
                                          {.image = "disk.img", .acceleration = Acceleration::kvm});
    ASSERT_TRUE(command);
    EXPECT_EQ(value_of(*command, "-accel"), "kvm");
    EXPECT_EQ(value_of(*command, "-cpu"), "host");
}

TEST(Emulator, no_port_is_opened_without_being_asked_for) {
    auto const command = emulator_command(description_of(x86_64_text()), {.image = "disk.img"});
    ASSERT_TRUE(command);
    EXPECT_THAT(value_of(*command, "-netdev"), Not(HasSubstr("hostfwd")));
}

TEST(Emulator, an_image_whose_name_qemu_would_misread_is_refused) {
    auto const command = emulator_command(description_of(x86_64_text()), {.image = "disk,snapshot=on.img"});
    ASSERT_FALSE(command);
    EXPECT_THAT(command.error().message(), HasSubstr("comma"));
}

TEST(DeviceFiles, pid_1_is_told_where_everything_lies) {
    auto const description = description_of(x86_64_text());
    auto const layout = layout_of(description);
    auto const init =
        init_config(description, layout, {.early = {"virtio"}, .late = {"ext4"}}, 1'700'000'000);
    EXPECT_EQ(init.disk_signature, description.disk.signature);
    EXPECT_EQ(init.partitions.at("rootfs_b"), layout.at("rootfs_b").number);
    EXPECT_EQ(init.rootfs_type, "squashfs");
    EXPECT_THAT(init.early_modules, ElementsAre("virtio"));
    EXPECT_THAT(init.modules, ElementsAre("ext4"));
    EXPECT_EQ(init.build_time, 1'700'000'000);
    EXPECT_EQ(init.watchdog.path, description.watchdog.path);
}

TEST(DeviceFiles, sinewd_is_told_the_platform_and_its_services) {
    auto const description = description_of(x86_64_text());
    auto const device = device_config(description);
    EXPECT_EQ(device.platform, "x86_64");
    ASSERT_EQ(device.services.size(), 1u);
    EXPECT_EQ(device.services.front().name, "sinew-sim");
}

} // namespace
} // namespace sinew::system
