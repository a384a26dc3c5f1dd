/// Delta archives: made, applied from raw and FAT sources, refused when the device holds something else.
#include "fat/volume.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace sinew::firmware::test {

namespace {

constexpr std::uint64_t boot_a = 2048;
constexpr std::uint64_t boot_b = 6144;
constexpr std::uint64_t rootfs_a = 10240;
constexpr std::uint64_t rootfs_b = 16384;
constexpr std::uint64_t disk_bytes = 12u << 20;

class Delta : public ::testing::Test {
protected:
    Delta() {
        write_firmware("old.fw", "1", m_old, m_old_kernel);
        write_firmware("new.fw", "2", m_new, m_new_kernel);
        must(apply(m_workshop.read("old.fw"), m_disk, {.task = "complete"}));
    }

    void write_firmware(std::string const& name, std::string const& version, BytesView rootfs,
                        BytesView kernel) {
        m_workshop.write("rootfs.img", rootfs);
        m_workshop.write("vmlinuz", kernel);
        auto options = m_workshop.options(
            "meta-platform = test\nmeta-version = " + version +
            "\nfile-resource vmlinuz { host-path = vmlinuz }\n"
            "file-resource rootfs.img { host-path = rootfs.img skip-holes = false }\n"
            "uboot-environment env { block-offset = 64 block-count = 16 }\n"
            "task complete {\n  on-init { fat_mkfs(2048, 4096) }\n"
            "  on-resource vmlinuz { fat_write(2048, vmlinuz) }\n"
            "  on-resource rootfs.img { raw_write(10240) }\n"
            "  on-finish { uboot_clearenv(env) uboot_setenv(env, active, a) }\n}\n"
            "task upgrade {\n  require-uboot-variable(env, active, a)\n  on-init { fat_mkfs(6144, 4096) }\n"
            "  on-resource vmlinuz { delta-source-fat-offset = 2048 delta-source-fat-path = vmlinuz "
            "fat_write(6144, vmlinuz) }\n"
            "  on-resource rootfs.img { delta-source-raw-offset = 10240 delta-source-raw-count = 6144 "
            "raw_write(16384) }\n"
            "  on-finish { uboot_setenv(env, active, b) }\n}\n");
        options.output = m_workshop.path(name);
        options.private_key = m_keys.private_key;
        must(create_archive(options));
    }

    Result<DeltaReport> make(DeltaForm form) {
        DeltaOptions options;
        options.from = m_workshop.path("old.fw");
        options.to = m_workshop.path("new.fw");
        options.output = m_workshop.path("delta.fw");
        options.form = form;
        return make_delta_archive(options);
    }

    Result<ApplyReport> upgrade() {
        return apply(m_workshop.read("delta.fw"), m_disk,
                     {.task = "upgrade", .public_keys = {m_keys.public_key}});
    }

    std::string active() {
        return must(UbootEnvironment::load(m_disk, {.block_offset = 64, .block_count = 16}))
            .get("active")
            .value_or("");
    }

    void expect_new_slot() {
        EXPECT_EQ(active(), "b");
        EXPECT_EQ(bytes_at(m_disk, rootfs_b, m_new.size()), m_new);
        auto volume = must(FatVolume::mount(m_disk, boot_b));
        auto file = must(volume.open_file("vmlinuz"));
        Bytes kernel;
        std::array<std::byte, 4096> buffer{};
        while (auto const count = must(file.read(buffer))) {
            kernel.insert(kernel.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
        }
        EXPECT_EQ(kernel, m_new_kernel);
    }

    Workshop m_workshop;
    KeyPair m_keys = generate_keys();
    Bytes m_old = old_content();
    Bytes m_new = new_version(m_old);
    Bytes m_old_kernel = noise(300'000, 21);
    Bytes m_new_kernel = changed(m_old_kernel);
    MemoryDevice m_disk{Growth::fixed, disk_bytes};

private:
    static Bytes changed(Bytes kernel) {
        kernel[123'456] ^= std::byte{1};
        return kernel;
    }
};

TEST_F(Delta, patches_raw_and_fat_resources) {
    auto const report = must(make(DeltaForm::segments));
    ASSERT_EQ(report.patched.size(), 2u);
    EXPECT_LT(report.archive_bytes, report.full_archive_bytes / 8);
    auto const applied = upgrade();
    ASSERT_TRUE(applied) << message_of(applied);
    expect_new_slot();
    EXPECT_EQ(applied->metadata.uuid, report.to.uuid);
}

TEST_F(Delta, as_vcdiff_does_the_same) {
    auto const report = must(make(DeltaForm::vcdiff));
    ASSERT_EQ(report.patched.size(), 2u);
    EXPECT_LT(report.archive_bytes, report.full_archive_bytes / 4);
    auto const applied = upgrade();
    ASSERT_TRUE(applied) << message_of(applied);
    expect_new_slot();
}

TEST_F(Delta, takes_what_xdelta3_and_zip_made) {
    // As a fleet server does it: the archive is unpacked, resources are replaced by patches, zip packs again.
    auto const folder = m_workshop.text_path("unpacked");
    std::filesystem::create_directory(folder);
    tool({"unzip", "-q", m_workshop.text_path("new.fw"), "-d", folder});
    m_workshop.write("old-rootfs", m_old);
    m_workshop.write("old-kernel", m_old_kernel);
    for (auto const& [old, name] : {std::pair{"old-rootfs", "rootfs.img"}, {"old-kernel", "vmlinuz"}}) {
        tool({"xdelta3", "-q", "-f", "-A", "-S", "none", "-e", "-s", m_workshop.text_path(old),
              folder + "/data/" + name, m_workshop.text_path("patch")});
        std::filesystem::copy_file(m_workshop.path("patch"), folder + "/data/" + name,
                                   std::filesystem::copy_options::overwrite_existing);
    }
    tool({"sh", "-c",
          "cd '" + folder +
              "' && zip -q -9 ../delta.fw meta.conf.ed25519 meta.conf data/vmlinuz data/rootfs.img"});
    auto const applied = upgrade();
    ASSERT_TRUE(applied) << message_of(applied);
    expect_new_slot();
}

TEST_F(Delta, for_something_else_writes_nothing_at_all) {
    must(make(DeltaForm::segments));
    must(m_disk.write_at((rootfs_a + 1000) * block_size_bytes, noise(512, 5)));
    auto const before = m_disk.bytes();
    auto const applied = upgrade();
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(message_of(applied), ::testing::HasSubstr("use the full archive; nothing was written"));
    EXPECT_EQ(m_disk.bytes(), before);
}

TEST_F(Delta, of_a_missing_file_writes_nothing_at_all) {
    must(make(DeltaForm::segments));
    must(m_disk.write_at(boot_a * block_size_bytes, Bytes(512)));
    auto const before = m_disk.bytes();
    EXPECT_THAT(message_of(upgrade()), ::testing::HasSubstr("use the full archive; nothing was written"));
    EXPECT_EQ(m_disk.bytes(), before);
}

TEST_F(Delta, without_notes_for_something_else_leaves_the_slot_unmarked) {
    must(make(DeltaForm::vcdiff));
    // Without our notes, as other tools make it.
    auto const folder = m_workshop.text_path("unpacked");
    tool({"unzip", "-q", m_workshop.text_path("delta.fw"), "-d", folder});
    std::filesystem::remove(m_workshop.path("delta.fw"));
    tool({"sh", "-c",
          "cd '" + folder +
              "' && zip -q -9 ../delta.fw meta.conf.ed25519 meta.conf data/vmlinuz data/rootfs.img"});
    must(m_disk.write_at((rootfs_a + 1000) * block_size_bytes, noise(512, 5)));
    auto const applied = upgrade();
    ASSERT_FALSE(applied);
    EXPECT_EQ(active(), "a");
    EXPECT_EQ(bytes_at(m_disk, rootfs_a, 1000 * block_size_bytes),
              Bytes(m_old.begin(), m_old.begin() + 1000 * block_size_bytes));
}

TEST_F(Delta, is_refused_by_a_task_that_has_nothing_to_apply_it_to) {
    must(make(DeltaForm::segments));
    MemoryDevice blank(Growth::fixed, disk_bytes);
    auto const applied = apply(m_workshop.read("delta.fw"), blank, {.task = "complete"});
    EXPECT_THAT(message_of(applied), ::testing::HasSubstr("use the full archive"));
    EXPECT_EQ(blank.bytes(), Bytes(disk_bytes));
}

TEST_F(Delta, is_verified_and_signed_anew) {
    must(make(DeltaForm::segments));
    auto const verified = verify_archive(m_workshop.path("delta.fw"), {.public_keys = {m_keys.public_key}});
    ASSERT_TRUE(verified) << message_of(verified);
    auto const other = generate_keys();
    must(sign_archive(m_workshop.path("delta.fw"), m_workshop.path("delta.fw"), other.private_key));
    must(m_disk.write_at((rootfs_a + 1000) * block_size_bytes, noise(512, 5)));
    auto const applied =
        apply(m_workshop.read("delta.fw"), m_disk, {.task = "upgrade", .public_keys = {other.public_key}});
    EXPECT_THAT(message_of(applied), ::testing::HasSubstr("nothing was written")) << "notes were lost";
}

TEST_F(Delta, is_applied_to_an_encrypted_slot) {
    // The key is in the script, as the original has it too: whoever has the archive has the key.
    std::string const key(64, '7');
    auto const script = [&](std::string const& name) {
        return "meta-platform = test\nfile-resource rootfs.img { host-path = " + name +
               " skip-holes = false }\n"
               "task complete { on-resource rootfs.img { raw_write(10240, \"cipher=aes-cbc-plain,secret=" +
               key + "\") } }\n" +
               "task upgrade { on-resource rootfs.img { delta-source-raw-offset = 10240 "
               "delta-source-raw-count = 6144 delta-source-raw-options = \"cipher=aes-cbc-plain,secret=" +
               key + "\" raw_write(16384) } }\n";
    };
    m_workshop.write("rootfs-1", m_old);
    m_workshop.write("rootfs-2", m_new);
    m_workshop.write("old.fw", m_workshop.archive(script("rootfs-1")));
    m_workshop.write("new.fw", m_workshop.archive(script("rootfs-2")));
    must(apply(m_workshop.read("old.fw"), m_disk, {.task = "complete"}));
    ASSERT_NE(bytes_at(m_disk, rootfs_a, m_old.size()), m_old);
    for (auto const form : {DeltaForm::segments, DeltaForm::vcdiff}) {
        must(make(form));
        auto const applied = apply(m_workshop.read("delta.fw"), m_disk, {.task = "upgrade"});
        ASSERT_TRUE(applied) << message_of(applied);
        EXPECT_EQ(bytes_at(m_disk, rootfs_b, m_new.size()), m_new);
        must(m_disk.write_at(rootfs_b * block_size_bytes, Bytes(512)));
    }
}

TEST_F(Delta, of_a_truncated_file_writes_nothing_at_all) {
    must(make(DeltaForm::segments));
    auto const archive = m_workshop.read("delta.fw");
    auto const before = m_disk.bytes();
    for (auto const cut : {std::size_t{1}, std::size_t{100}, archive.size() / 2}) {
        auto const applied =
            apply(BytesView(archive).first(archive.size() - cut), m_disk, {.task = "upgrade"});
        EXPECT_THAT(message_of(applied), ::testing::HasSubstr("truncated"));
        EXPECT_EQ(m_disk.bytes(), before);
    }
}

TEST_F(Delta, archives_are_read_by_unzip) {
    must(make(DeltaForm::segments));
    EXPECT_THAT(tool({"unzip", "-t", m_workshop.text_path("delta.fw")}),
                ::testing::HasSubstr("No errors detected"));
}

TEST_F(Delta, is_not_made_when_it_would_not_help) {
    write_firmware("new.fw", "2", noise(900'000, 70), noise(300'000, 71));
    auto const report = make(DeltaForm::segments);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::unavailable);
    EXPECT_FALSE(std::filesystem::exists(m_workshop.path("delta.fw")));
}

} // namespace

} // namespace sinew::firmware::test
