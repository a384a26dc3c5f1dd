/// What the kernel says of mounts, read from a sysfs of our own.
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/running_system.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace sinew::firmware::test {

namespace {

std::string device_text(std::uint64_t device) {
    return std::to_string(major(device)) + ":" + std::to_string(minor(device));
}

/// The device that a folder lies on has layers below it: `links` are pairs of device and slave.
class LayeredSystem : public ::testing::Test {
protected:
    LayeredSystem() {
        struct stat status{};
        ::stat(m_workshop.path(".").c_str(), &status);
        m_top = status.st_dev;
        if (::mknod(node().c_str(), S_IFBLK | 0600, m_disk) != 0) {
            m_can_make_devices = false;
        }
    }
    void put_below(std::uint64_t device, std::uint64_t below) {
        auto const folder =
            m_workshop.path("sys") / "dev/block" / device_text(device) / "slaves" / device_text(below);
        std::filesystem::create_directories(folder);
        m_workshop.write(std::filesystem::relative(folder / "dev", m_workshop.path(".")).string(),
                         device_text(below) + "\n");
    }
    [[nodiscard]] std::filesystem::path node() const { return m_workshop.path("disk"); }
    [[nodiscard]] bool is_on_disk() const {
        return KernelRunningSystem(m_workshop.path("sys")).is_path_on_device(m_workshop.path("."), node());
    }

    Workshop m_workshop;
    std::uint64_t m_top = 0;
    std::uint64_t m_disk = makedev(240, 7);
    bool m_can_make_devices = true;
};

TEST_F(LayeredSystem, a_path_is_on_each_disk_below_a_layer_of_several) {
    if (!m_can_make_devices) {
        GTEST_SKIP() << "device nodes can't be made here";
    }
    EXPECT_FALSE(is_on_disk());
    put_below(m_top, makedev(240, 1));
    EXPECT_FALSE(is_on_disk());
    put_below(m_top, makedev(240, 2));
    put_below(makedev(240, 2), m_disk);
    EXPECT_TRUE(is_on_disk());
}

TEST_F(LayeredSystem, layers_are_followed_three_deep) {
    if (!m_can_make_devices) {
        GTEST_SKIP() << "device nodes can't be made here";
    }
    put_below(m_top, makedev(240, 1));
    put_below(makedev(240, 1), makedev(240, 2));
    put_below(makedev(240, 2), makedev(240, 3));
    put_below(makedev(240, 3), m_disk);
    EXPECT_FALSE(is_on_disk());
    put_below(makedev(240, 2), m_disk);
    EXPECT_TRUE(is_on_disk());
}

} // namespace

} // namespace sinew::firmware::test
