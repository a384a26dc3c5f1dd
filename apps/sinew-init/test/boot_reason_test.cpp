/// Why the machine started.
#include "boot_reason.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/device/boot_report.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace sinew::init {
namespace {

using device::BootReason;
using device::EndRecord;
using testing::HasSubstr;

BootEvidence evidence() {
    BootEvidence empty;
    empty.command_line.slot = "a";
    return empty;
}

TEST(BootReasonOf, without_any_trace_it_is_a_power_on) {
    auto const report = explain_boot(evidence());
    EXPECT_EQ(report.reason, BootReason::power_on);
    EXPECT_EQ(report.slot, "a");
    EXPECT_EQ(report.detail, "");
}

TEST(BootReasonOf, the_record_of_the_last_end_tells_what_was_asked_for) {
    auto requested = evidence();
    requested.saved_end = EndRecord{BootReason::reboot_requested, "by hand"};
    EXPECT_EQ(explain_boot(requested).reason, BootReason::reboot_requested);
    EXPECT_EQ(explain_boot(requested).detail, "by hand");
    requested.crash_store.end = EndRecord{BootReason::application_failed, "sinewd ended with status 1"};
    EXPECT_EQ(explain_boot(requested).reason, BootReason::application_failed) << "memory was written last";
}

TEST(BootReasonOf, a_panic_counts_more_than_an_older_orderly_end) {
    auto panicked = evidence();
    panicked.saved_end = EndRecord{};
    panicked.crash_store.panic = "Oops";
    EXPECT_EQ(explain_boot(panicked).reason, BootReason::kernel_panic);
    EXPECT_EQ(explain_boot(panicked).detail, "Oops");
}

TEST(BootReasonOf, the_watchdog_is_believed_only_without_an_orderly_end) {
    auto bitten = evidence();
    bitten.watchdog_reset = true;
    EXPECT_EQ(explain_boot(bitten).reason, BootReason::watchdog_or_reset);
    bitten.saved_end = EndRecord{};
    EXPECT_EQ(explain_boot(bitten).reason, BootReason::reboot_requested);
}

TEST(BootReasonOf, a_slot_on_trial_was_started_by_an_update) {
    auto updated = evidence();
    updated.command_line.trial = true;
    updated.saved_end = EndRecord{BootReason::update, "installed 0.2.0"};
    EXPECT_EQ(explain_boot(updated).reason, BootReason::update);
    EXPECT_TRUE(explain_boot(updated).trial);
}

TEST(BootReasonOf, a_rollback_says_what_became_of_the_trial) {
    auto returned = evidence();
    returned.command_line.rolled_back = true;
    EXPECT_EQ(explain_boot(returned).reason, BootReason::rolled_back);
    EXPECT_EQ(explain_boot(returned).detail, "it was reset before it was validated");
    returned.saved_end = EndRecord{BootReason::application_failed, "the application keeps failing"};
    EXPECT_EQ(explain_boot(returned).detail, "the application keeps failing");
    returned.crash_store.panic = "no init";
    EXPECT_EQ(explain_boot(returned).detail, "the kernel panicked: no init");
}

TEST(BootReasonOf, a_slot_that_was_given_up_for_its_starts_is_named_with_the_cause) {
    auto counted = evidence();
    counted.command_line.rolled_back = true;
    counted.command_line.starts = 4;
    EXPECT_EQ(explain_boot(counted).reason, BootReason::rolled_back);
    EXPECT_EQ(explain_boot(counted).detail, "slot b was started 3 times and its platform never came up");
    counted.saved_end = EndRecord{BootReason::kernel_panic, "can't mount /dev/rootdisk0p6"};
    EXPECT_THAT(explain_boot(counted).detail, HasSubstr("can't mount /dev/rootdisk0p6"));
    EXPECT_EQ(explain_boot(counted).starts, 4);
}

TEST(BootReasonOf, only_an_end_that_somebody_asked_for_is_orderly) {
    auto ended = evidence();
    EXPECT_FALSE(explain_boot(ended).orderly);
    for (auto const reason : {BootReason::reboot_requested, BootReason::update, BootReason::power_on}) {
        ended.saved_end = EndRecord{reason, ""};
        EXPECT_TRUE(explain_boot(ended).orderly);
    }
    ended.saved_end = EndRecord{BootReason::application_failed, ""};
    EXPECT_FALSE(explain_boot(ended).orderly);
    ended.saved_end = EndRecord{};
    ended.crash_store.panic = "x";
    EXPECT_FALSE(explain_boot(ended).orderly) << "the panic came after it";
}

TEST(CrashRecord, the_message_of_a_panic_is_found_in_the_kernels_log) {
    CrashStore store;
    parse_crash_record(
        "Panic#1 Part1\n<6>[    1.0] x\n<0>[   12.3] Kernel panic - not syncing: sysrq triggered "
        "crash\n<4>[   12.3] CPU: 0\n",
        store);
    EXPECT_EQ(store.panic, "sysrq triggered crash");
    EXPECT_FALSE(store.end);
}

TEST(CrashRecord, a_panic_without_its_message_is_still_a_panic) {
    CrashStore store;
    parse_crash_record("Panic#2 Part7\n<6>[    1.0] only old lines\n", store);
    EXPECT_TRUE(store.panic);
}

TEST(CrashRecord, the_last_end_record_of_a_log_counts) {
    CrashStore store;
    parse_crash_record(
        "Shutdown#1 Part1\n<5>[  1.0] sinew-init: sinew-end: reason=update\n"
        "<5>[  9.0] sinew-init: sinew-end: reason=reboot_requested detail=by hand\n<6>[ 9.1] x\n",
        store);
    EXPECT_EQ(store.end, (EndRecord{BootReason::reboot_requested, "by hand"}));
    EXPECT_FALSE(store.panic);
}

TEST(CrashRecord, a_long_or_binary_message_is_cut_and_cleaned) {
    CrashStore store;
    parse_crash_record("Kernel panic - not syncing: \x01\xff" + std::string(5000, 'x'), store);
    EXPECT_EQ(store.panic, "??" + std::string(198, 'x'));
}

TEST(CrashStoreFolder, every_record_is_read_once_and_removed) {
    auto const folder = TemporaryDirectory::create().value();
    ASSERT_TRUE(write_file_atomically(folder.path() / "dmesg-ramoops-0",
                                      as_bytes("Panic#1 Part1\nKernel panic - not syncing: A\n")));
    ASSERT_TRUE(
        write_file_atomically(folder.path() / "pmsg-ramoops-0", as_bytes("sinew-end: reason=update\n")));
    auto const store = take_crash_store(folder.path());
    EXPECT_EQ(store.panic, "A");
    EXPECT_EQ(store.end, (EndRecord{BootReason::update, ""}));
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    EXPECT_FALSE(take_crash_store(folder.path()).panic);
    EXPECT_FALSE(take_crash_store("/nonexistent").end);
}

} // namespace
} // namespace sinew::init
