// When /data may be kept: on a disk that has this very layout.
#include "tool_fixture.hpp"

#include <sinew/firmware/apply.hpp>
#include <sinew/firmware/create.hpp>
#include <sinew/system.hpp>
#include <sinew/tooling/burn.hpp>

#include <gmock/gmock.h>

namespace sinew::tooling {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class BurnTest : public ToolFixture {
protected:
    BurnTest() {
        auto target = system::load_system(fs::path(SINEW_SOURCE_TREE) / "systems", "x86_64");
        EXPECT_TRUE(target.has_value());
        m_description = target->description;
        m_layout = *system::compute_layout(m_description);
        for (char const* part : {"core.img", "vmlinuz", "initramfs", "grub.cfg", "rootfs.img"}) {
            write(part, std::string(2000, part[0]));
        }
    }

    /// A firmware with real scripts and tiny parts.
    fs::path make_firmware(std::string const& version) {
        system::FirmwareFiles files;
        files.core_image = folder() / "core.img";
        files.kernel = folder() / "vmlinuz";
        files.initramfs = folder() / "initramfs";
        files.slot_script = folder() / "grub.cfg";
        files.rootfs = folder() / "rootfs.img";
        files.tried_archive = write("tried.tar", as_text(system::tried_archive()));
        files.boot_code_hex = std::string(880, '0');
        firmware::CreateOptions options;
        options.script = folder() / "fwup.conf";
        options.script_text =
            system::update_script(m_description, m_layout, {.product = "blinky", .version = version}, files);
        options.output = folder() / (version + ".fw");
        auto const made = firmware::create_archive(options);
        EXPECT_TRUE(made.has_value()) << made.error().message();
        return options.output;
    }
    [[nodiscard]] fs::path image() const { return folder() / "disk.img"; }
    [[nodiscard]] std::uint64_t data_offset() const { return m_layout.at("data").block_offset * 512; }

    void write_data(std::string_view text) {
        auto disk = firmware::FileDevice::open(image(), firmware::DeviceAccess::read_write);
        ASSERT_TRUE((*disk)->write_at(data_offset(), as_bytes(text)).has_value());
    }
    std::string read_data(std::size_t size) {
        auto disk = firmware::FileDevice::open(image(), firmware::DeviceAccess::read_only);
        Bytes bytes(size);
        EXPECT_TRUE((*disk)->read_at(data_offset(), bytes).has_value());
        return std::string(as_text(bytes));
    }
    [[nodiscard]] system::Description const& description() const { return m_description; }
    [[nodiscard]] system::Layout const& layout() const { return m_layout; }

private:
    system::Description m_description;
    system::Layout m_layout;
};

TEST_F(BurnTest, makes_an_image_with_blank_data) {
    auto const done = burn_image(context(), make_firmware("0.1.0"), image(), {.size_bytes = 512u << 20});
    ASSERT_TRUE(done.has_value()) << done.error().message();
    EXPECT_EQ(done->data, DataFate::erased);
    EXPECT_EQ(fs::file_size(image()), 512u << 20);
    EXPECT_FALSE(fs::exists(folder() / "disk.img.partial"));
}

TEST_F(BurnTest, keeps_data_over_the_same_layout_unless_told_to_erase) {
    ASSERT_TRUE(burn_image(context(), make_firmware("0.1.0"), image(), {}).has_value());
    write_data("precious");
    auto const second = burn_image(context(), make_firmware("0.2.0"), image(), {});
    ASSERT_TRUE(second.has_value()) << second.error().message();
    EXPECT_EQ(second->data, DataFate::kept);
    EXPECT_EQ(second->metadata.version, "0.2.0");
    EXPECT_EQ(read_data(8), "precious");
    auto const third =
        burn_image(context(), make_firmware("0.3.0"), image(), {.size_bytes = std::nullopt, .erase = true});
    ASSERT_TRUE(third.has_value()) << third.error().message();
    EXPECT_NE(read_data(8), "precious");
}

TEST_F(BurnTest, keeps_nothing_of_a_foreign_disk) {
    firmware::MemoryDevice blank;
    EXPECT_EQ(data_fate(blank, description(), layout()), DataFate::erased);
    ASSERT_TRUE(burn_image(context(), make_firmware("0.1.0"), image(), {}).has_value());
    auto disk = firmware::FileDevice::open(image(), firmware::DeviceAccess::read_only);
    EXPECT_EQ(data_fate(**disk, description(), layout()), DataFate::kept);
    system::Layout moved = layout();
    moved.partitions.back().block_offset += 2048;
    EXPECT_EQ(data_fate(**disk, description(), moved), DataFate::erased);
    system::Description stranger = description();
    stranger.disk.signature = "00000001";
    EXPECT_EQ(data_fate(**disk, stranger, layout()), DataFate::erased);
}

TEST_F(BurnTest, refuses_an_image_that_is_too_small) {
    auto const done = burn_image(context(), make_firmware("0.1.0"), image(), {.size_bytes = 64u << 20});
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code(), ErrorCode::no_space);
    EXPECT_FALSE(fs::exists(image()));
}

TEST_F(BurnTest, refuses_an_archive_that_is_none_and_leaves_no_image) {
    auto const done = burn_image(context(), write("noise.fw", "not an archive at all"), image(), {});
    ASSERT_FALSE(done.has_value());
    EXPECT_FALSE(fs::exists(image()));
    EXPECT_FALSE(fs::exists(folder() / "disk.img.partial"));
}

TEST_F(BurnTest, refuses_what_is_no_image_file) {
    auto const done = burn_image(context(), make_firmware("0.1.0"), "/dev/null", {});
    ASSERT_FALSE(done.has_value());
    EXPECT_THAT(done.error().message(), HasSubstr("is no image file"));
}

} // namespace
} // namespace sinew::tooling
