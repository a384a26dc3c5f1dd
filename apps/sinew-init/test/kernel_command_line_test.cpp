/// What PID 1 makes of /proc/cmdline.
#include "kernel_command_line.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sinew::init {
namespace {

TEST(KernelCommandLine, slot_trial_and_serial_are_found_among_other_words) {
    auto const parsed = parse_kernel_command_line("BOOT_IMAGE=/vmlinuz console=ttyS0,115200 panic=5 "
                                                  "sinew.slot=b sinew.trial=1 sinew.serial=AB-12 quiet\n");
    EXPECT_EQ(parsed, (KernelCommandLine{
                          .slot = "b", .trial = true, .rolled_back = false, .serial_number = "AB-12"}));
}

TEST(KernelCommandLine, nothing_is_on_trial_or_rolled_back_unless_it_says_so) {
    EXPECT_EQ(parse_kernel_command_line(""), KernelCommandLine{});
    EXPECT_EQ(parse_kernel_command_line("sinew.trial=yes sinew.rolled_back= sinew.slot"),
              KernelCommandLine{});
    EXPECT_TRUE(parse_kernel_command_line("sinew.rolled_back=1").rolled_back);
}

TEST(KernelCommandLine, a_slot_other_than_a_or_b_counts_as_missing) {
    for (auto const* text : {"sinew.slot=c", "sinew.slot=ab", "sinew.slot=/../x", "sinew.slot=A"}) {
        EXPECT_EQ(parse_kernel_command_line(text).slot, "") << text;
    }
}

TEST(KernelCommandLine, what_the_bootloader_has_counted_is_a_small_number_or_none) {
    auto const parsed = parse_kernel_command_line("sinew.starts=3 sinew.runs=6");
    EXPECT_EQ(parsed.starts, 3);
    EXPECT_EQ(parsed.runs, 6);
    for (auto const* text :
         {"sinew.starts=", "sinew.starts=-1", "sinew.starts=99999999999", "sinew.starts=x"}) {
        EXPECT_EQ(parse_kernel_command_line(text).starts, 0) << text;
    }
}

TEST(KernelCommandLine, the_last_of_a_repeated_key_wins) {
    EXPECT_EQ(parse_kernel_command_line("sinew.slot=a sinew.slot=b").slot, "b");
}

TEST(KernelCommandLine, quotes_hold_blanks_together_and_are_dropped) {
    EXPECT_EQ(parse_kernel_command_line("sinew.serial=\"12 34\" sinew.slot=a").serial_number, "12 34");
    EXPECT_EQ(parse_kernel_command_line("x=\"sinew.slot=a sinew.trial=1").slot, "");
}

TEST(KernelCommandLine, a_serial_number_is_cut_at_64_characters) {
    EXPECT_EQ(parse_kernel_command_line("sinew.serial=" + std::string(500, 'x')).serial_number.size(), 64U);
}

TEST(ModuleParameters, only_the_words_for_that_module_are_taken_without_its_name) {
    auto const* const line =
        "ramoops.mem_size=0x1000 panic=5 ramoops.max_reason=4 ramoopsx.y=1 softdog.nowayout=1";
    EXPECT_EQ(module_parameters(line, "ramoops"), "mem_size=0x1000 max_reason=4");
    EXPECT_EQ(module_parameters(line, "ext4"), "");
}

TEST(ModuleParameters, dash_and_underscore_are_the_same_in_a_module_name) {
    EXPECT_EQ(module_parameters("i2c-dev.a=1 i2c_dev.b=2", "i2c_dev"), "a=1 b=2");
}

TEST(ModuleParameters, a_dot_in_a_value_is_no_module) {
    EXPECT_EQ(module_parameters("root=ext4.x=1", "root=ext4"), "");
}

TEST(ModuleParameters, quotes_stay_because_the_kernel_reads_them) {
    EXPECT_EQ(module_parameters("m.opt=\"a b\"", "m"), "opt=\"a b\"");
}

} // namespace
} // namespace sinew::init
