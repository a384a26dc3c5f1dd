/// What settings name and the image doesn't hold.
#include "check_image.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace sinew::system {
namespace {

using ::testing::HasSubstr;

class CheckImage : public ::testing::Test {
protected:
    CheckImage() {
        for (auto const* file :
             {"usr/bin/sinewd", "usr/bin/sinew-sim", "srv/app/bin/blinky", "usr/share/sinew/ops.fw",
              "usr/lib/modules/6.1/kernel/fs/ext4/ext4.ko", "usr/lib/modules/6.1/kernel/hid-cp2112.ko"}) {
            std::filesystem::create_directories((tree() / file).parent_path());
            EXPECT_TRUE(write_file_atomically(tree() / file, as_bytes("x")));
        }
        init.early_modules = modules.early;
        init.modules = modules.late;
        device.application.command = {"/srv/app/bin/blinky"};
        device.services = {{.name = "sim", .command = {"sinew-sim", "serve"}, .ready_path = {}}};
    }
    [[nodiscard]] std::filesystem::path const& tree() const { return m_folder.path(); }
    [[nodiscard]] std::string fault() const {
        auto const good = check_image(tree(), modules, init, device);
        return good ? std::string() : good.error().message();
    }
    ModuleOrder modules{.early = {"virtio_blk", "squashfs"}, .late = {"ext4", "hid_cp2112"}};
    device::InitConfig init;
    device::DeviceConfig device;

private:
    TemporaryDirectory m_folder = TemporaryDirectory::create().value();
};

TEST_F(CheckImage, what_is_there_is_found_by_path_and_by_name) {
    EXPECT_EQ(fault(), "");
    device.services.front().command = {"/data/own/program"};
    EXPECT_EQ(fault(), "") << "nobody can know what will be there";
}

TEST_F(CheckImage, a_program_that_is_not_there_is_named_with_its_setting) {
    init.command = {"/usr/bin/sinew"};
    EXPECT_EQ(fault(), "sinew.toml: init.command: '/usr/bin/sinew' is not in the firmware");
    init = {.early_modules = modules.early, .modules = modules.late};
    device.services.front().command = {"gpsd"};
    EXPECT_THAT(fault(), HasSubstr("device.services.sim.command: 'gpsd'"));
    device.services.clear();
    device.operations_archive = "/usr/share/sinew/ops.fv";
    EXPECT_THAT(fault(), HasSubstr("could never be validated"));
}

TEST_F(CheckImage, a_module_that_is_not_there_is_refused) {
    init.modules.emplace_back("bt");
    EXPECT_THAT(fault(), HasSubstr("init.modules: 'bt' is not in the firmware"));
    init.modules = modules.late;
    init.early_modules.emplace_back("ext4");
    EXPECT_THAT(fault(), HasSubstr("'ext4' is not in the initramfs, which has virtio_blk, squashfs"));
}

TEST_F(CheckImage, a_list_without_the_file_systems_is_refused) {
    init.modules = {"hid-cp2112"};
    EXPECT_THAT(fault(), HasSubstr("init.modules leaves out 'ext4', without which there is no /data"));
    init.early_modules = {"virtio_blk"};
    EXPECT_THAT(fault(), HasSubstr("leaves out 'squashfs'"));
}

} // namespace
} // namespace sinew::system
