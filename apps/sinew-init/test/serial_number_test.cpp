/// Sources of the serial number, with folders in place of /sys and /proc.
#include "serial_number.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <string_view>

namespace sinew::init {
namespace {

class SerialNumber : public testing::Test {
protected:
    void put(std::filesystem::path const& path, std::string_view text) {
        std::filesystem::create_directories((m_root.path() / path).parent_path());
        ASSERT_TRUE(write_file_atomically(m_root.path() / path, as_bytes(text)));
    }
    void put_interface(std::string_view name, std::string_view address, std::string_view index,
                       std::string_view type = "1\n") {
        auto const folder = std::filesystem::path("sys/class/net") / name;
        put(folder / "address", address);
        put(folder / "ifindex", index);
        put(folder / "type", type);
    }
    [[nodiscard]] std::string find(std::string_view from_command_line = "") const {
        return find_serial_number(from_command_line, m_root.path());
    }
    TemporaryDirectory m_root = TemporaryDirectory::create().value();
};

TEST_F(SerialNumber, the_command_line_wins) {
    put("sys/class/dmi/id/product_serial", "DMI-1\n");
    EXPECT_EQ(find("CMD-1"), "CMD-1");
    EXPECT_EQ(find(), "DMI-1");
}

TEST_F(SerialNumber, a_placeholder_of_a_vendor_is_no_number) {
    put_interface("eth0", "52:54:00:12:34:56\n", "2\n");
    for (auto const* text :
         {"", "None\n", "To Be Filled By O.E.M.\n", "0000000\n", "Default string", "Not Specified"}) {
        put("sys/class/dmi/id/product_serial", text);
        EXPECT_EQ(find(), "525400123456") << text;
    }
}

TEST_F(SerialNumber, the_device_trees_number_ends_with_a_nul) {
    put("proc/device-tree/serial-number", std::string_view("10000000abcdef01\0", 17));
    EXPECT_EQ(find(), "10000000abcdef01");
}

TEST_F(SerialNumber, the_first_ethernet_interface_gives_its_address) {
    put_interface("lo", "00:00:00:00:00:00\n", "1\n", "772\n");
    put_interface("eth1", "52:54:00:00:00:02\n", "3\n");
    put_interface("eth0", "52:54:00:00:00:01\n", "2\n");
    EXPECT_EQ(find(), "525400000001");
}

TEST_F(SerialNumber, an_interface_of_another_kind_or_without_an_address_is_passed_over) {
    put_interface("can0", "12:34\n", "2\n", "280\n");
    put_interface("eth0", "00:00:00:00:00:00\n", "3\n");
    EXPECT_EQ(find(), unknown_serial_number);
}

TEST_F(SerialNumber, what_is_not_text_in_the_middle_becomes_readable) {
    put("sys/class/dmi/id/product_serial", "AB\xff\x01\x1b[2J-7\n");
    EXPECT_EQ(find(), "AB\uFFFD??[2J-7");
    EXPECT_EQ(find("A\nB"), "A?B");
}

} // namespace
} // namespace sinew::init
