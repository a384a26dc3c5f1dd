/// What a description must hold, and how a mistake in it is named.
#include "support.hpp"

#include <sinew/base/result.hpp>
#include <sinew/system/description.hpp>
#include <sinew/system/device_files.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sinew::system {
namespace {

using ::testing::HasSubstr;

std::string message_of(std::string const& text) {
    auto const result = parse_description(text, "system.toml");
    return result ? "no error" : result.error().message();
}

TEST(Description, the_x86_64_target_loads) {
    auto const target = load_system(SINEW_SYSTEMS, "x86_64");
    ASSERT_TRUE(target) << target.error().message();
    EXPECT_EQ(target->description.name, "x86_64");
    EXPECT_EQ(target->description.disk.partitions.size(), 5u);
}

TEST(Description, an_unknown_target_is_refused_with_the_list_of_those_there_are) {
    auto const target = load_system(SINEW_SYSTEMS, "x86_63");
    ASSERT_FALSE(target);
    EXPECT_EQ(target.error().code(), ErrorCode::not_found);
    EXPECT_THAT(target.error().message(), HasSubstr("x86_64"));
}

TEST(Description, a_misspelt_key_is_named_with_its_line) {
    EXPECT_THAT(message_of(replaced(x86_64_text(), "early_modules =", "early_module =")),
                HasSubstr("early_module"));
}

TEST(Description, a_missing_partition_is_named) {
    EXPECT_THAT(message_of(replaced(x86_64_text(), "name = \"rootfs_b\"", "name = \"spare\"")),
                HasSubstr("rootfs_b"));
}

TEST(Description, slots_of_different_size_are_refused) {
    EXPECT_THAT(message_of(replaced(x86_64_text(), "name = \"rootfs_b\"\nsize_mib = 64",
                                    "name = \"rootfs_b\"\nsize_mib = 65")),
                HasSubstr("differ in size"));
}

TEST(Description, a_path_that_leaves_the_tree_is_refused) {
    EXPECT_THAT(message_of(replaced(x86_64_text(), "\"srv/app\"", "\"../srv\"")), HasSubstr("../srv"));
}

TEST(Description, a_kernel_argument_that_a_boot_script_cant_carry_is_refused) {
    EXPECT_THAT(message_of(replaced(x86_64_text(), "\"panic=5\"", "\"panic='5\"")), HasSubstr("quote"));
}

TEST(Description, a_part_for_development_that_is_none_is_refused) {
    EXPECT_THAT(
        message_of(replaced(x86_64_text(), "modules = [\"uhid\", \"hid-cp2112\"]", "modules = [\"uhit\"]")),
        HasSubstr("development.modules: 'uhit' is none of kernel.modules"));
    EXPECT_THAT(message_of(replaced(x86_64_text(), "services = [\"sinew-sim\"]", "services = [\"sim\"]")),
                HasSubstr("development.services: 'sim'"));
    EXPECT_THAT(
        message_of(replaced(x86_64_text(), "\"/usr/bin/time\", \"/usr/bin/vi\"", "\"/usr/bin/emacs\"")),
        HasSubstr("development.applets: '/usr/bin/emacs'"));
}

TEST(Description, what_only_developers_need_leaves_a_devices_settings) {
    auto const description = description_of(x86_64_text());
    auto device = device_config(description);
    auto init = init_config(description, layout_of(description),
                            {.early = {}, .late = {"ext4", "hid_cp2112", "uhid"}}, 0);
    leave_out_development(description.development, device);
    leave_out_development(description.development, init);
    EXPECT_TRUE(device.services.empty());
    EXPECT_EQ(init.modules, std::vector<std::string>{"ext4"});
}

TEST(Description, only_the_last_partition_can_expand) {
    EXPECT_THAT(
        message_of(replaced(x86_64_text(), "name = \"rootfs_a\"\n", "name = \"rootfs_a\"\nexpand = true\n")),
        HasSubstr("expand"));
}

} // namespace
} // namespace sinew::system
