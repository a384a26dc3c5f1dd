/// When a start stops counting as one in vain, and what is written of it.
#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/device/boot_counters.hpp>
#include <sinew/device/boot_guard.hpp>
#include <sinew/device/update.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/uboot_environment.hpp>
#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinew::device {
namespace {

using namespace std::chrono_literals;

struct Kept {
    std::vector<BootNote> notes;
    int failures_to_come = 0;
    int careful_ends = 0;
};

class BootGuardTest : public ::testing::Test {
protected:
    void start(BootReport boot, std::optional<Duration> settled_after = 5min) {
        BootGuardOptions options{.boot = std::move(boot),
                                 .settled_after = settled_after,
                                 .keep = [kept = m_kept](BootNote const& note) -> Result<> {
                                     if (kept->failures_to_come-- > 0) {
                                         return failure(ErrorCode::exists, "an update is being installed");
                                     }
                                     kept->notes.push_back(note);
                                     return {};
                                 },
                                 .end_careful_start = [kept = m_kept] { ++kept->careful_ends; }};
        m_guard = m_simulation.node().start<BootGuard>({}, std::move(options)).value();
        m_simulation.run_until_settled();
    }
    BootNote last() { return m_kept->notes.back(); }
    std::shared_ptr<Kept> m_kept = std::make_shared<Kept>();
    testing::Simulation m_simulation{11};
    ServerRef<BootGuard> m_guard;
};

TEST_F(BootGuardTest, the_platforms_start_is_taken_back_at_once_and_the_applications_after_a_while) {
    start({.slot = "a", .starts = 2, .runs = 3});
    ASSERT_EQ(m_kept->notes.size(), 1U);
    EXPECT_EQ(last().runs, 3) << "whether the machine survives its application isn't known yet";
    m_simulation.advance(4min);
    EXPECT_EQ(m_kept->notes.size(), 1U);
    m_simulation.advance(2min);
    EXPECT_EQ(last().runs, 0);
}

TEST_F(BootGuardTest, a_start_that_was_asked_for_says_nothing_against_the_application) {
    start({.slot = "a", .runs = 5, .orderly = true});
    EXPECT_EQ(last().runs, 1);
}

TEST_F(BootGuardTest, what_cannot_be_written_is_tried_again) {
    m_kept->failures_to_come = 3;
    start({.slot = "a", .runs = 1});
    EXPECT_TRUE(m_kept->notes.empty());
    m_simulation.advance(2min);
    EXPECT_EQ(m_kept->notes.size(), 1U);
}

TEST_F(BootGuardTest, a_slot_on_trial_becomes_good_when_it_is_validated) {
    start({.slot = "b", .trial = true});
    EXPECT_FALSE(last().validated);
    send(m_guard, BootGuard::Validated{});
    m_simulation.run_until_settled();
    EXPECT_TRUE(last().validated);
}

TEST_F(BootGuardTest, while_the_application_is_held_back_nothing_is_decided) {
    start({.slot = "a", .runs = most_runs}, std::nullopt);
    m_simulation.advance(24h);
    EXPECT_EQ(last().runs, most_runs);
}

TEST_F(BootGuardTest, a_start_that_left_data_alone_ends_in_another_try) {
    start({.slot = "a", .starts = 3});
    m_simulation.advance(9min);
    EXPECT_EQ(m_kept->careful_ends, 0);
    m_simulation.advance(2min);
    EXPECT_EQ(m_kept->careful_ends, 1);
}

TEST(HoldingBack, only_resets_that_nobody_asked_for_hold_the_application_back) {
    EXPECT_TRUE(must_hold_application_back({.runs = most_runs}));
    EXPECT_FALSE(must_hold_application_back({.runs = most_runs - 1}));
    EXPECT_FALSE(must_hold_application_back({.runs = most_runs, .orderly = true}));
    EXPECT_FALSE(must_hold_application_back({.trial = true, .runs = most_runs}));
    EXPECT_FALSE(must_hold_application_back({}));
}

/// A disk in a file, with the blocks and the environment where the configuration says.
class BootBlocksOnDisk : public ::testing::Test {
protected:
    BootBlocksOnDisk() {
        m_config.disk = m_folder.path() / "disk";
        m_config.environment = {.block = 8, .block_count = 16, .redundant_block = 24};
        m_config.boot_blocks = {.state = 1, .state_copy = 2, .counters = 4};
        auto const disk = firmware::FileDevice::open(m_config.disk, firmware::DeviceAccess::create).value();
        EXPECT_TRUE(disk->write_at(40 * 512, Bytes(512)));
        firmware::UbootEnvironment environment(
            {.block_offset = 8, .block_count = 16, .redundant_block_offset = 24});
        EXPECT_TRUE(environment.set("a.nerves_fw_uuid", "1"));
        EXPECT_TRUE(environment.set("a.nerves_fw_validated", "1"));
        EXPECT_TRUE(environment.set("b.nerves_fw_uuid", "2"));
        EXPECT_TRUE(environment.set("b.nerves_fw_validated", "0"));
        EXPECT_TRUE(environment.save(*disk));
    }
    void write(std::uint64_t block, std::string const& text) {
        auto const disk = open_file(m_config.disk, O_RDWR).value();
        EXPECT_TRUE(write_all_at(disk, as_bytes(text), block * 512));
    }
    std::optional<BootCounters> counters() {
        auto const disk = open_file(m_config.disk, O_RDONLY).value();
        Bytes block(512);
        EXPECT_TRUE(read_exactly_at(disk, block, 4 * 512));
        return parse_boot_counters(block);
    }
    Result<> keep(BootReport const& boot, BootNote const& note) {
        return keep_boot_counters(m_config, boot, note, m_folder.path() / "lock");
    }
    TemporaryDirectory m_folder = TemporaryDirectory::create().value();
    DeviceConfig m_config;
};

TEST_F(BootBlocksOnDisk, a_running_system_says_what_each_slot_is_worth) {
    write(4, format_boot_counters({.starts = 2, .runs = 1}));
    ASSERT_TRUE(keep({.slot = "a"}, {.runs = 1, .validated = true}));
    EXPECT_EQ(
        counters(),
        (BootCounters{.runs = 1, .slot_a = SlotWorth::good, .slot_b = SlotWorth::unproven, .active = "a"}));
}

TEST_F(BootBlocksOnDisk, a_trial_that_waits_stays_and_an_unreadable_block_is_mended) {
    write(4, format_boot_counters({.tried = false}));
    ASSERT_TRUE(keep({.slot = "a"}, {.validated = true}));
    EXPECT_FALSE(counters()->tried);
    write(4, std::string(512, '\xff'));
    ASSERT_TRUE(keep({.slot = "a"}, {.validated = true}));
    EXPECT_TRUE(counters()->tried);
}

TEST_F(BootBlocksOnDisk, nothing_is_written_while_an_update_is_installed) {
    auto const update = UpdateLock::acquire(m_folder.path() / "lock");
    ASSERT_TRUE(update);
    write(4, std::string(512, '\xff'));
    EXPECT_EQ(keep({.slot = "a"}, {.validated = true}).error().code(), ErrorCode::exists);
    EXPECT_FALSE(counters());
}

TEST_F(BootBlocksOnDisk, without_an_environment_the_block_keeps_what_it_said_of_the_other_slot) {
    m_config.environment = {};
    write(4, format_boot_counters({.slot_b = SlotWorth::good}));
    ASSERT_TRUE(keep({.slot = "a"}, {.validated = true}));
    EXPECT_EQ(counters()->slot_b, SlotWorth::good);
}

TEST_F(BootBlocksOnDisk, an_environment_of_which_both_copies_are_damaged_is_written_anew_from_what_runs) {
    m_config.product = "blinky";
    m_config.version = "0.2.0";
    m_config.platform = "x86_64";
    EXPECT_FALSE(restore_environment(m_config, {.slot = "b"}).value()) << "it is whole";
    write(10, std::string(512, 'x'));
    write(26, std::string(512, 'x'));
    EXPECT_FALSE(installed_firmware(m_config, "b"));
    EXPECT_TRUE(restore_environment(m_config, {.slot = "b"}).value());
    auto const installed = installed_firmware(m_config, "b").value();
    EXPECT_EQ(installed.version, "0.2.0");
    EXPECT_TRUE(installed.validated);
}

TEST_F(BootBlocksOnDisk, a_bootloader_without_blocks_is_none_of_its_business) {
    m_config.boot_blocks = {};
    EXPECT_EQ(keep({.slot = "a"}, {}).error().code(), ErrorCode::unsupported);
}

TEST_F(BootBlocksOnDisk, a_damaged_boot_state_is_seen) {
    auto const whole = format_grub_block({{"slot", "a"}, {"try", ""}, {"whole", "yes"}});
    write(1, whole);
    write(2, whole);
    EXPECT_TRUE(is_boot_state_whole(m_config).value());
    write(2, std::string(512, '\0'));
    EXPECT_FALSE(is_boot_state_whole(m_config).value());
}

} // namespace
} // namespace sinew::device
