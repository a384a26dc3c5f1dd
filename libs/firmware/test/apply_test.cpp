/// Applying: functions, conditions, order, refusals before the first write, and what is reported.
#include "fat/volume.hpp"
#include "power_cut_disk.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/running_system.hpp>
#include <sinew/firmware/uboot_environment.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sinew::firmware::test {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string const environment = "uboot-environment e { block-offset = 16 block-count = 2 }\n";

class Apply : public ::testing::Test {
protected:
    Result<ApplyReport> run(std::string const& script, ApplyOptions options = {.task = "t"}) {
        auto const archive = m_workshop.archive(script);
        options.on_message = [this](MessageKind kind, std::string const& text) {
            m_messages.push_back((kind == MessageKind::warning ? "warning: " : "") + text);
        };
        return apply(archive, m_disk, options);
    }
    [[nodiscard]] std::byte byte_at(std::uint64_t block) { return bytes_at(m_disk, block, 1)[0]; }

    Workshop m_workshop;
    PowerCutDisk m_disk{Bytes(4u << 20, std::byte{0xAA}), PowerCutDisk::never};
    std::vector<std::string> m_messages;
};

TEST_F(Apply, raw_write_pads_the_last_block_with_zeros) {
    auto const report =
        must(run("file-resource f { contents = hello } task t { on-resource f { raw_write(3) } }"));
    auto const block = bytes_at(m_disk, 3, 2 * block_size_bytes);
    EXPECT_EQ(as_text(BytesView(block).first(6)), std::string("hello\0", 6));
    EXPECT_EQ(block[511], std::byte{0});
    EXPECT_EQ(block[512], std::byte{0xAA});
    EXPECT_EQ(report.task, "t");
    EXPECT_EQ(report.bytes_out, block_size_bytes);
}

TEST_F(Apply, raw_memset_and_trim_fill_what_they_say) {
    must(run("task t { on-init { raw_memset(10, 300, 0x5a) } }"));
    EXPECT_EQ(byte_at(9), std::byte{0xAA});
    EXPECT_EQ(byte_at(10), std::byte{0x5A});
    EXPECT_EQ(byte_at(309), std::byte{0x5A});
    EXPECT_EQ(byte_at(310), std::byte{0xAA});
}

TEST_F(Apply, a_sparse_resource_leaves_what_is_under_its_holes) {
    // Made by hand: 512 bytes of data, 1024 of hole, 512 of data.
    m_workshop.write("sparse", Bytes(1024, std::byte{1}));
    auto const hash = tool({"b2sum", "-l", "256", m_workshop.text_path("sparse")}).substr(0, 64);
    std::filesystem::create_directories(m_workshop.path("z/data"));
    m_workshop.write("z/data/f", Bytes(1024, std::byte{1}));
    m_workshop.write("z/meta.conf",
                     "file-resource \"f\" {\nlength={512,1024,512}\nblake2b-256=" + hash +
                         "\n}\ntask \"t\" {\non-resource \"f\" {\nfunlist={2,raw_write,4}\n}\n}\n");
    tool({"sh", "-c", "cd '" + m_workshop.text_path("z") + "' && zip -q ../s.fw meta.conf data/f"});
    must(apply(m_workshop.read("s.fw"), m_disk, {.task = "t"}));
    EXPECT_EQ(byte_at(4), std::byte{1});
    EXPECT_EQ(byte_at(5), std::byte{0xAA});
    EXPECT_EQ(byte_at(7), std::byte{1});
}

TEST_F(Apply, fat_and_environment_and_mbr_work_together) {
    m_workshop.write("kernel", noise(30'000, 1));
    must(run("meta-version = 7 file-resource kernel { host-path = kernel }" + environment +
             "mbr m { partition 0 { block-offset = 2048 block-count = 1024 type = 0x0c } }"
             "task t { on-init { mbr_write(m) fat_mkfs(2048, 1024) fat_mkdir(2048, d) uboot_clearenv(e) }"
             " on-resource kernel { fat_write(2048, \"d/kernel\") }"
             " on-finish { fat_cp(2048, \"d/kernel\", copy) fat_touch(2048, x) fat_rm(2048, \"d/kernel\")"
             " uboot_setenv(e, version, \"\\${FWUP_META_VERSION}\") uboot_setenv(e, gone, 1) "
             "uboot_unsetenv(e, gone) } }"));
    auto volume = must(FatVolume::mount(m_disk, 2048));
    EXPECT_TRUE(must(volume.exists("copy")));
    EXPECT_TRUE(must(volume.exists("x")));
    EXPECT_FALSE(must(volume.exists("d/kernel")));
    auto const loaded = must(UbootEnvironment::load(
        m_disk, {.block_offset = 16, .block_count = 2, .redundant_block_offset = std::nullopt}));
    EXPECT_EQ(loaded.variables().size(), 1u);
    EXPECT_EQ(loaded.get("version"), "7");
}

TEST_F(Apply, a_corrupt_environment_is_not_set_but_can_be_recovered) {
    EXPECT_THAT(message_of(run(environment + "task t { on-init { uboot_setenv(e, a, b) } }")),
                HasSubstr("uboot_setenv: uboot-environment 'e': the environment's checksum is wrong"));
    EXPECT_EQ(m_disk.write_count(), 0u);
    must(run(environment + "task t { on-init { uboot_recover(e) uboot_setenv(e, a, b) } }"));
    must(run(environment + "task t { on-init { uboot_recover(e) } }"));
    auto const loaded = must(UbootEnvironment::load(
        m_disk, {.block_offset = 16, .block_count = 2, .redundant_block_offset = std::nullopt}));
    EXPECT_EQ(loaded.get("a"), "b");
}

TEST_F(Apply, the_first_task_whose_conditions_hold_is_taken) {
    must(run(environment + "task t { on-init { uboot_clearenv(e) uboot_setenv(e, active, b) } }"));
    auto const script = environment +
                        "task up.a { require-uboot-variable(e, active, b) on-init { info(to-a) } }\n"
                        "task up.b { require-uboot-variable(e, active, a) on-init { info(to-b) } }\n"
                        "task up.wrong { on-init { error(\"wrong device\") } }\n";
    EXPECT_EQ(must(run(script, {.task = "up"})).task, "up.a");
    EXPECT_THAT(m_messages, ElementsAre("to-a"));
    EXPECT_THAT(message_of(run(script, {.task = "up.b"})), HasSubstr("the conditions of up.b aren't met"));
    EXPECT_EQ(message_of(run(script, {.task = "up.w"})), "wrong device");
    EXPECT_EQ(message_of(run(script, {.task = "down"})),
              "the archive has no task 'down'; it has: up.a, up.b, up.wrong");
}

TEST_F(Apply, conditions_look_at_partitions_mounts_and_files) {
    must(run("mbr m { partition 1 { block-offset = 100 block-count = 100 type = 0x83 } }"
             "task t { on-init { mbr_write(m) fat_mkfs(2048, 1024) fat_touch(2048, here) } }"));
    FakeSystem system;
    system.mounts["/"] = {.partition_number = 5, .disk_number = 4, .start_block = 100, .block_count = 100};
    auto const holds = [&](std::string const& condition) {
        return run("task t { " + condition + " }", {.task = "t", .running_system = &system}).has_value();
    };
    EXPECT_TRUE(holds("require-partition-offset(1, 100)"));
    EXPECT_FALSE(holds("require-partition-offset(1, 101)"));
    EXPECT_FALSE(holds("require-partition-offset(\"\\${NONE:-4}\", 100)")); // only known on the device
    EXPECT_TRUE(holds("require-partition1-offset = 100"));
    EXPECT_TRUE(holds("require-path-at-offset(\"/\", 100)"));
    EXPECT_FALSE(holds("require-path-at-offset(\"/\", 200)"));
    EXPECT_FALSE(holds("require-path-at-offset(\"/none\", 100)"));
    EXPECT_TRUE(holds("require-path-on-device(\"/\", \"/dev/root\")"));
    EXPECT_FALSE(holds("require-path-on-device(\"/\", \"/dev/other\")"));
    EXPECT_TRUE(holds("require-fat-file-exists(2048, here)"));
    EXPECT_FALSE(holds("require-fat-file-exists(2048, there)"));
    EXPECT_FALSE(holds("require-fat-file-exists(1, here)"));
    EXPECT_TRUE(holds("require-fat-file-match(2048, here, \"\")"));
    EXPECT_FALSE(holds("require-fat-file-match(2048, here, x)"));
    EXPECT_FALSE(holds("require-execute(true)"));
}

// Everything below must be refused before the first write.
class Refused : public Apply {
protected:
    void expect_refused(std::string const& script, std::string const& error,
                        ApplyOptions const& options = {.task = "t"}) {
        EXPECT_THAT(message_of(run(script, options)), HasSubstr(error));
        EXPECT_EQ(m_disk.write_count(), 0u);
        EXPECT_EQ(m_disk.sync_count(), 0u);
    }
    std::string const m_mbr = "mbr m { partition 0 { block-offset = 2048 block-count = 64 type = 0x83 } }\n";
};

TEST_F(Refused, a_resource_larger_than_its_slot) {
    m_workshop.write("big", Bytes(65 * block_size_bytes));
    expect_refused(
        m_mbr + "file-resource big { host-path = big } task t { on-init { mbr_write(m) } on-resource big { "
                "raw_write(2048) } }",
        "resource 'big' needs 65 blocks, but its slot, partition 0 at block 2048, has only 64; make it "
        "smaller; nothing was written");
}

TEST_F(Refused, a_resource_larger_than_the_slot_that_is_on_the_disk) {
    must(run(m_mbr + "task t { on-init { mbr_write(m) } }"));
    PowerCutDisk disk(m_disk.after_power_loss(0), PowerCutDisk::never);
    m_workshop.write("big", Bytes(65 * block_size_bytes));
    auto const archive = m_workshop.archive(
        "mbr m { partition 0 { block-offset = 2048 block-count = 1000 type = 0x83 } }\n"
        "file-resource big { host-path = big } task t { on-resource big { raw_write(2048) } }");
    EXPECT_THAT(message_of(apply(archive, disk, {.task = "t"})), HasSubstr("has only 64"));
    EXPECT_EQ(disk.write_count(), 0u);
}

TEST_F(Refused, boot_files_that_do_not_fit_their_file_system) {
    m_workshop.write("big", Bytes(200 * block_size_bytes));
    expect_refused(
        "file-resource big { host-path = big } task t { on-init { fat_mkfs(2048, 200) } on-resource big { "
        "fat_write(2048, big) } }",
        "resources 'big' need 200 blocks, but the FAT file system at block 2048 has room for");
}

TEST_F(Refused, a_disk_that_is_too_small) {
    expect_refused("task t { on-init { info(x) raw_memset(8000, 193, 0) } }",
                   "has 8192 blocks, but the task writes up "
                   "to block 8193");
}

TEST_F(Refused, another_platform) {
    expect_refused("meta-platform = rpi4 task t { on-init { raw_memset(0, 1, 0) } }",
                   "the archive is for platform 'rpi4', but this is 'x86_64'",
                   {.task = "t", .expected_platform = "x86_64"});
}

TEST_F(Refused, what_none_of_the_keys_signed) {
    expect_refused("task t { on-init { raw_memset(0, 1, 0) } }", "isn't signed",
                   {.task = "t", .public_keys = {generate_keys().public_key}});
}

TEST_F(Refused, functions_that_reach_beyond_the_disk) {
    expect_refused(
        "task t { on-init { raw_memset(0, 1, 0) } on-finish { execute(\"reboot\") } }",
        "task 't', on-finish: execute() reaches beyond the disk; allow it with --unsafe if you trust "
        "the archive; nothing was written");
}

TEST_F(Refused, an_unknown_function_of_a_later_release) {
    std::filesystem::create_directories(m_workshop.path("z"));
    m_workshop.write("z/meta.conf",
                     "task \"t\" {\non-init {\nfunlist={4,raw_memset,0,1,0,2,quantum_write,1}\n}\n}\n");
    tool({"sh", "-c", "cd '" + m_workshop.text_path("z") + "' && zip -q ../s.fw meta.conf"});
    EXPECT_EQ(message_of(apply(m_workshop.read("s.fw"), m_disk, {.task = "t"})),
              "task 't', on-init: unknown function 'quantum_write'");
    EXPECT_EQ(m_disk.write_count(), 0u);
}

TEST_F(Refused, a_later_release_that_is_required) {
    std::filesystem::create_directories(m_workshop.path("z"));
    m_workshop.write("z/meta.conf", "require-fwup-version=99.0\ntask \"t\" {\n}\n");
    tool({"sh", "-c", "cd '" + m_workshop.text_path("z") + "' && zip -q ../s.fw meta.conf"});
    EXPECT_THAT(message_of(apply(m_workshop.read("s.fw"), m_disk, {.task = "t"})),
                HasSubstr("requires fwup 99.0"));
}

/// A disk that the kernel knows by a number.
class NumberedDisk final : public BlockDevice {
public:
    explicit NumberedDisk(PowerCutDisk& disk)
        : m_disk(disk) {}
    Result<> read_at(std::uint64_t offset, MutableBytesView into) override {
        return m_disk.read_at(offset, into);
    }
    Result<> write_at(std::uint64_t offset, BytesView bytes) override {
        return m_disk.write_at(offset, bytes);
    }
    Result<> sync() override { return m_disk.sync(); }
    Result<> discard(std::uint64_t offset, std::uint64_t length) override {
        return m_disk.discard(offset, length);
    }
    [[nodiscard]] std::uint64_t size_bytes() const override { return m_disk.size_bytes(); }
    [[nodiscard]] Growth growth() const override { return Growth::fixed; }
    [[nodiscard]] std::string name() const override { return "/dev/rootdisk0"; }
    [[nodiscard]] std::optional<std::uint64_t> device_number() const override { return 0x800; }

private:
    PowerCutDisk& m_disk;
};

TEST_F(Refused, writing_into_the_running_root) {
    FakeSystem system;
    system.mounts["/"] = {
        .partition_number = 0x805, .disk_number = 0x800, .start_block = 1000, .block_count = 500};
    NumberedDisk disk(m_disk);
    for (auto const* function :
         {"raw_memset(1499, 1, 0)", "trim(0, 8192)", "fat_mkfs(900, 101)", "raw_memset(0, 2000, 1)"}) {
        auto const archive = m_workshop.archive(std::string("task t { on-init { ") + function + " } }");
        auto const done = apply(archive, disk, {.task = "t", .running_system = &system});
        EXPECT_THAT(message_of(done), HasSubstr("/dev/rootdisk0: the system that is running now"))
            << function;
        EXPECT_EQ(done.error().code(), ErrorCode::denied);
    }
    EXPECT_EQ(m_disk.write_count(), 0u);
    must(apply(m_workshop.archive("task t { on-init { raw_memset(1500, 1, 0) } }"), disk,
               {.task = "t", .running_system = &system}));
}

TEST_F(Refused, a_resource_that_is_larger_than_its_ubi_volume) {
    m_workshop.write("rootfs", noise(10'001, 1));
    FakeSystem system;
    system.ubi_volumes["/nowhere/ubi0_1"] = 10'000;
    ApplyOptions const options{.task = "t", .unsafe = Unsafe::allowed, .running_system = &system};
    auto const apply_after = [&](std::string const& on_init) {
        return apply(m_workshop.archive("file-resource rootfs { host-path = rootfs } task t { on-init { " +
                                        on_init +
                                        " } on-resource rootfs { ubi_volume_write(\"/nowhere/ubi0_1\") } }"),
                     m_disk, options);
    };
    auto const done = apply_after("raw_memset(0, 1, 1)");
    EXPECT_THAT(message_of(done), HasSubstr("has 10001 bytes, but the UBI volume /nowhere/ubi0_1 has only"));
    EXPECT_EQ(done.error().code(), ErrorCode::no_space);
    EXPECT_EQ(m_disk.write_count(), 0u);
    EXPECT_THAT(message_of(apply_after("execute(\"true\")")), HasSubstr("/nowhere/ubi0_1: "))
        << "the command might have made it larger";
}

TEST_F(Apply, damage_in_the_payload_drops_the_small_writes_and_runs_on_error) {
    m_workshop.write("big", noise(300'000, 1));
    auto archive =
        m_workshop.archive("file-resource big { host-path = big } file-resource state { contents = new }"
                           "task t { on-init { raw_memset(100, 1, 1) } on-resource big { raw_write(1024) }"
                           " on-resource state { raw_write(1) }"
                           " on-error { raw_memset(200, 1, 2) info(failed) } }");
    archive[archive.size() / 2] ^= std::byte{1};
    std::vector<std::string> messages;
    auto const done = apply(
        archive, m_disk,
        {.task = "t", .on_message = [&](MessageKind, std::string const& text) { messages.push_back(text); }});
    EXPECT_THAT(message_of(done), HasSubstr("resource 'big'"));
    EXPECT_THAT(messages, ElementsAre("failed"));
    EXPECT_EQ(byte_at(1), std::byte{0xAA});
    EXPECT_EQ(byte_at(100), std::byte{1}) << "on-init is on the disk before payload";
    EXPECT_EQ(byte_at(200), std::byte{2});
}

TEST_F(Apply, a_partition_table_written_by_on_init_still_reaches_the_disk_last) {
    // Scripts in the field switch slots by it, there.
    m_workshop.write("big", noise(300'000, 1));
    auto archive =
        m_workshop.archive("file-resource big { host-path = big }"
                           "mbr m { partition 0 { block-offset = 1024 block-count = 1000 type = 0x83 } }"
                           "task t { on-init { mbr_write(m) } on-resource big { raw_write(1024) } }");
    must(apply(archive, m_disk, {.task = "t"}));
    auto const& batches = m_disk.batches();
    EXPECT_EQ(batches[batches.size() - 3].front().first, 1024u + 512u) << "the tail of the payload";
    EXPECT_EQ(batches[batches.size() - 2].front().first, 0u);
}

TEST_F(Apply, a_truncated_stream_never_reaches_the_commit) {
    m_workshop.write("big", noise(300'000, 1));
    auto const archive = m_workshop.archive(
        "file-resource big { host-path = big } file-resource state { contents = new }"
        "task t { on-resource big { raw_write(1024) } on-resource state { raw_write(1) } }");
    for (std::size_t size = 0; size < archive.size() - 300; size += 7919) {
        EXPECT_THAT(message_of(apply(BytesView(archive).first(size), m_disk, {.task = "t"})),
                    HasSubstr("truncated"));
        ASSERT_EQ(byte_at(1), std::byte{0xAA});
    }
}

TEST_F(Apply, progress_rises_to_a_hundred_only_at_the_end) {
    m_workshop.write("big", noise(1'000'000, 1));
    std::vector<int> percents;
    ApplyOptions options{.task = "t"};
    options.on_progress = [&](Progress const& progress) { percents.push_back(progress.percent); };
    must(apply(m_workshop.archive(
                   "file-resource big { host-path = big } task t { on-resource big { raw_write(1) } }"),
               m_disk, options));
    EXPECT_TRUE(std::ranges::is_sorted(percents));
    EXPECT_EQ(percents.front(), 0);
    EXPECT_EQ(percents.back(), 100);
    EXPECT_EQ(std::ranges::count(percents, 100), 1);
}

TEST_F(Apply, reboot_param_is_written_where_it_is_asked_for) {
    must(run("task t { on-init { reboot_param(\"0 tryboot\") } }",
             {.task = "t", .reboot_param_path = m_workshop.path("reboot-param")}));
    EXPECT_EQ(as_text(m_workshop.read("reboot-param")), "0 tryboot");
}

TEST_F(Apply, variables_of_the_device_are_expanded_when_applying) {
    must(run("task t { on-init { info(\"serial \\${SERIAL:-none}\") } }",
             {.task = "t", .variables = {{"SERIAL", "42"}}}));
    EXPECT_THAT(m_messages, ElementsAre("serial 42"));
}

} // namespace

} // namespace sinew::firmware::test
