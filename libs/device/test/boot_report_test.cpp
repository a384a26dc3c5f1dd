/// The one line that says how a run ended.
#include <sinew/base/describe.hpp>
#include <sinew/device/boot_report.hpp>

#include <gtest/gtest.h>

#include <string>

namespace sinew::device {
namespace {

TEST(EndRecord, a_record_reads_back_as_it_was_written) {
    for (auto const& record : {EndRecord{}, EndRecord{BootReason::update, "installed 0.2.0 (uuid)"},
                               EndRecord{BootReason::power_on, "x detail=y reason=z"}}) {
        EXPECT_EQ(find_end_record(format_end_record(record)), record) << format_end_record(record);
    }
}

TEST(EndRecord, its_form_is_fixed_because_the_next_firmware_reads_it) {
    EXPECT_EQ(format_end_record({BootReason::application_failed, "it ended"}),
              "sinew-end: reason=application_failed detail=it ended");
}

TEST(EndRecord, the_last_well_formed_one_in_a_log_counts) {
    EXPECT_EQ(find_end_record("a\n[1.0] sinew-init: sinew-end: reason=update detail=one\nb\n"
                              "sinew-end: reason=reboot_requested\nsinew-end: reason=nonsense detail=x\n"),
              EndRecord{});
}

TEST(EndRecord, a_record_inside_a_detail_is_no_record) {
    auto const record = find_end_record("sinew-end: reason=update detail=a sinew-end: reason=x");
    EXPECT_EQ(record, (EndRecord{BootReason::update, "a "}));
    auto const line = format_end_record({BootReason::update, "b sinew-end: reason=kernel_panic"});
    EXPECT_EQ(find_end_record(line), (EndRecord{BootReason::update, "b "}));
}

TEST(EndRecord, what_is_none_is_none) {
    for (auto const* text : {"", "sinew-end:", "sinew-end: reason=", "sinew-end: reason=updates",
                             "sinew-end: reason=update because", "reason=update"}) {
        EXPECT_FALSE(find_end_record(text)) << text;
    }
}

TEST(EndRecord, a_detail_is_one_short_printable_line) {
    auto const line = format_end_record({BootReason::update, "a\nb\x80" + std::string(500, 'x')});
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(find_end_record(line)->detail.substr(0, 4), "a?b?");
    EXPECT_EQ(find_end_record(line)->detail.size(), 200U);
}

TEST(BootReport, it_goes_through_toml) {
    BootReport const report{.reason = BootReason::rolled_back,
                            .detail = "why \"so\"",
                            .slot = "a",
                            .trial = false,
                            .rolled_back = true,
                            .serial_number = "0123",
                            .hostname = "sinew-0123"};
    auto const again = from_toml<BootReport>(to_toml(report).value(), "boot.toml").value();
    EXPECT_EQ(again.reason, BootReason::rolled_back);
    EXPECT_EQ(again.detail, report.detail);
    EXPECT_TRUE(again.rolled_back);
    EXPECT_EQ(to_string(again.reason), "rolled_back");
}

TEST(BootReport, a_report_that_cannot_be_read_leaves_what_the_bootloader_said) {
    BootReport const written{.slot = "b", .serial_number = "bad \xff number"};
    auto const read = understand_boot_report(to_toml(written).value(), "sinew.slot=a");
    EXPECT_EQ(read.slot, "b");
    EXPECT_EQ(read.serial_number, "bad \uFFFD number");

    for (auto const* torn : {"", "slot = \"b", "serial_number = \"\xff\"\n"}) {
        auto const known = understand_boot_report(torn, "quiet sinew.slot=a sinew.trial=1\n");
        EXPECT_EQ(known.slot, "a");
        EXPECT_TRUE(known.trial);
        EXPECT_EQ(known.reason, BootReason::update);
        EXPECT_EQ(understand_boot_report(torn, "root=/dev/vda1 sinew.slot=c").slot, "")
            << "not a device of ours";
    }
}

} // namespace
} // namespace sinew::device
