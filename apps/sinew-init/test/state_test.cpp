/// What PID 1 keeps from one run to the next, and its smaller decisions.
#include "children.hpp"
#include "clock_floor.hpp"
#include "entropy.hpp"
#include "modules.hpp"
#include "mounts.hpp"
#include "program.hpp"
#include "shutdown.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>

namespace sinew::init {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(SavedTime, only_digits_and_a_line_feed_are_a_time) {
    EXPECT_EQ(parse_saved_time("1700000000\n"), 1'700'000'000);
    EXPECT_EQ(parse_saved_time("0"), 0);
    for (auto const* text : {"", "\n", "-1\n", "1 2", "1700000000x", "99999999999999999999", "0x10"}) {
        EXPECT_FALSE(parse_saved_time(text)) << text;
    }
}

TEST(SavedTime, a_time_in_the_far_future_is_not_believed) {
    EXPECT_TRUE(parse_saved_time("4102444799"));
    EXPECT_FALSE(parse_saved_time("4102444800"));
}

TEST(SavedTime, what_is_saved_is_loaded) {
    auto const folder = TemporaryDirectory::create().value();
    ASSERT_TRUE(save_time(folder.path() / "time"));
    auto const loaded = load_saved_time(folder.path() / "time");
    ASSERT_TRUE(loaded);
    EXPECT_NEAR(static_cast<double>(*loaded), static_cast<double>(::time(nullptr)), 2);
    EXPECT_FALSE(load_saved_time(folder.path() / "none"));
}

TEST(ClockFloor, a_clock_above_the_floor_is_left_alone) {
    EXPECT_FALSE(raise_clock_to(1000).value());
}

TEST(EntropySeed, a_seed_file_reads_back_with_its_credit) {
    Seed const seed{.bytes = Bytes(seed_bytes, std::byte{7}), .creditable = true};
    auto const parsed = parse_seed(format_seed(seed));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->bytes, seed.bytes);
    EXPECT_TRUE(parsed->creditable);
    EXPECT_FALSE(parse_seed(format_seed({.bytes = seed.bytes, .creditable = false}))->creditable);
}

TEST(EntropySeed, a_file_of_another_size_or_mark_is_no_seed) {
    auto file = format_seed({.bytes = Bytes(seed_bytes), .creditable = true});
    file.push_back(std::byte{0});
    EXPECT_FALSE(parse_seed(file));
    file.resize(file.size() - 2);
    EXPECT_FALSE(parse_seed(file));
    EXPECT_FALSE(parse_seed({}));
    EXPECT_FALSE(parse_seed(Bytes(seed_bytes + 5)));
}

TEST(EntropySeed, two_saved_seeds_differ_and_only_the_owner_can_read_them) {
    auto const folder = TemporaryDirectory::create().value();
    auto const file = folder.path() / "seed";
    ASSERT_TRUE(save_seed(file));
    auto const first = read_file(file).value();
    ASSERT_TRUE(save_seed(file));
    EXPECT_NE(first, read_file(file).value());
    EXPECT_TRUE(parse_seed(first));
    EXPECT_EQ(std::filesystem::status(file).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(Modules, names_are_compared_as_the_kernel_does_and_found_anywhere_below) {
    auto const folder = TemporaryDirectory::create().value();
    auto const deep = folder.path() / "kernel/drivers/i2c";
    std::filesystem::create_directories(deep);
    for (auto const* name : {"i2c-dev.ko", "hid_cp2112.ko.xz", "modules.dep", ".ko"}) {
        ASSERT_TRUE(write_file_atomically(deep / name, as_bytes("x")));
    }
    auto const index = index_modules(folder.path());
    EXPECT_EQ(index.size(), 2U);
    EXPECT_EQ(index.at(module_key("i2c_dev")), deep / "i2c-dev.ko");
    EXPECT_TRUE(index.contains(module_key("hid-cp2112")));
    EXPECT_TRUE(index_modules("/nonexistent").empty());
}

TEST(Mounts, they_are_undone_in_reverse_without_the_root_and_the_kernels_own) {
    auto const* const table = "/dev/root / squashfs ro 0 0\n"
                              "devtmpfs /dev devtmpfs rw 0 0\n"
                              "proc /proc proc rw 0 0\n"
                              "tmpfs /run tmpfs rw 0 0\n"
                              "/dev/vda7 /data ext4 rw 0 0\n"
                              "/dev/sda1 /data/my\\040disk\\134 vfat rw 0 0\n";
    EXPECT_THAT(targets_to_unmount(table), ElementsAre("/data/my disk\\", "/data", "/run"));
}

TEST(Mounts, a_torn_table_is_read_as_far_as_it_goes) {
    EXPECT_THAT(targets_to_unmount("x"), ElementsAre());
    EXPECT_THAT(targets_to_unmount("\n\nx /y\\04"), ElementsAre("/y\\04"));
}

TEST(Signals, each_asks_for_what_erlinits_do) {
    EXPECT_EQ(action_of_signal(SIGTERM), PowerAction::reboot);
    EXPECT_EQ(action_of_signal(SIGINT), PowerAction::reboot);
    EXPECT_EQ(action_of_signal(SIGUSR1), PowerAction::halt);
    EXPECT_EQ(action_of_signal(SIGPWR), PowerAction::halt);
    EXPECT_EQ(action_of_signal(SIGUSR2), PowerAction::poweroff);
    EXPECT_FALSE(action_of_signal(SIGCHLD));
    EXPECT_FALSE(action_of_signal(SIGHUP));
}

TEST(HelperProgram, its_exit_status_comes_back_and_a_signal_is_128_more) {
    auto const nothing = [] {};
    EXPECT_EQ(run_program({"/bin/sh", "-c", "exit 4"}, 10s, nothing).value(), 4);
    EXPECT_EQ(run_program({"/bin/sh", "-c", "kill -9 $$"}, 10s, nothing).value(), 128 + SIGKILL);
}

TEST(HelperProgram, one_that_takes_too_long_is_ended) {
    int waits = 0;
    auto const result = run_program({"/bin/sleep", "60"}, 5ms, [&] { ++waits; });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::timed_out);
    EXPECT_GE(waits, 1) << "the watchdog is petted meanwhile";
}

TEST(HelperProgram, one_that_is_missing_is_named) {
    auto const result = run_program({"/nonexistent/e2fsck"}, 1s, [] {});
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("/nonexistent/e2fsck"));
}

} // namespace
} // namespace sinew::init
