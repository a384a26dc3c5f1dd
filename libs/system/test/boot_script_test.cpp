/// The boot state's blocks and GRUB's scripts. That GRUB understands them is shown in
/// test/system/test_boot_state.py.
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/command.hpp>
#include <sinew/base/file.hpp>
#include <sinew/system/boot_script.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace sinew::system {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(BootState, a_state_is_one_block_that_ends_with_its_mark) {
    auto const block = boot_state_block(Slot::a, Slot::b);
    EXPECT_EQ(block.size(), block_size_bytes);
    EXPECT_THAT(block, StartsWith("# GRUB Environment Block\nslot=a\ntry=b\nwhole=yes\n#"));
    EXPECT_EQ(block.find_first_not_of('#', block.find("whole=yes\n") + 10), std::string::npos);
}

TEST(BootState, without_a_trial_try_is_empty) {
    EXPECT_THAT(boot_state_block(Slot::b, std::nullopt), HasSubstr("slot=b\ntry=\nwhole=yes\n"));
}

TEST(BootState, tar_reads_the_archive_that_grub_writes_to) {
    auto const folder = TemporaryDirectory::create();
    ASSERT_TRUE(folder);
    auto const file = folder->path() / "tried.tar";
    ASSERT_TRUE(write_file_atomically(file, tried_archive()));
    auto const content = run_checked({"tar", "-xOf", file.string(), "tried"});
    ASSERT_TRUE(content) << content.error().message();
    EXPECT_EQ(device::parse_boot_counters(as_bytes(*content)), counters_of_new_disk());
    EXPECT_THAT(*content, HasSubstr("\ntried=1\n"));
}

TEST(BootScript, the_core_script_names_the_blocks_of_the_description) {
    auto const description = description_of(x86_64_text());
    auto const script = grub_core_script(description, layout_of(description));
    EXPECT_THAT(script, HasSubstr("load_env --file (hd0)" +
                                  std::to_string(description.bootloader.state_block) + "+1"));
    EXPECT_THAT(script, HasSubstr("load_env --file (hd0)" +
                                  std::to_string(description.bootloader.state_copy_block) + "+1"));
    EXPECT_THAT(script, HasSubstr("save_env --file (hd0,msdos3)/tried tried"));
    EXPECT_THAT(script, HasSubstr("serial --unit=0 --speed=115200"));
}

TEST(BootScript, the_trial_is_written_down_before_the_slot_on_trial_is_chosen) {
    auto const description = description_of(x86_64_text());
    auto const script = grub_core_script(description, layout_of(description));
    EXPECT_LT(script.find("save_env"), script.find("set chosen=\"$try\""));
}

TEST(BootScript, every_start_is_counted_before_it_happens_and_the_kernel_is_told) {
    auto const description = description_of(x86_64_text());
    auto const script = grub_core_script(description, layout_of(description));
    auto const counted = script.find("save_env --file (hd0,msdos3)/tried starts runs");
    ASSERT_NE(counted, std::string::npos);
    EXPECT_LT(counted, script.find("start_slot \"$chosen\""));
    EXPECT_THAT(script, HasSubstr("sinew.starts=$starts sinew.runs=$runs"));
}

TEST(BootScript, an_update_leaves_the_slot_that_wrote_it_good_and_the_new_one_unproven) {
    auto const after = counters_after_update(Slot::b);
    EXPECT_FALSE(after.tried);
    EXPECT_EQ(after.slot_a, device::SlotWorth::good);
    EXPECT_EQ(after.slot_b, device::SlotWorth::unproven);
    EXPECT_EQ(after.active, "a");
}

TEST(BootScript, the_kernel_s_dollar_is_not_taken_for_a_variable) {
    auto const script = grub_slot_script(description_of(x86_64_text()));
    EXPECT_THAT(script, HasSubstr("'memmap=1024K$0xc000000'"));
    EXPECT_THAT(script, HasSubstr(" $sinew_arguments;"));
}

TEST(BootScript, the_command_line_has_the_consoles_in_their_order) {
    auto const line = kernel_command_line(description_of(x86_64_text()));
    EXPECT_THAT(line, StartsWith("console=tty0 console=ttyS0,115200 panic=5"));
    EXPECT_THAT(line, HasSubstr("ramoops.mem_address=0xc000000 ramoops.mem_size=1048576"));
}

TEST(BootScript, without_a_crash_log_no_memory_is_set_aside) {
    auto description = description_of(x86_64_text());
    description.crash_log.size_kib = 0;
    EXPECT_THAT(kernel_command_line(description), ::testing::Not(HasSubstr("memmap")));
}

} // namespace
} // namespace sinew::system
