// Which devices of /dev are GPIO chips.
#include "gpio_kernel.hpp"

#include <sinew/base/file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace sinew::circuits {
namespace {

TEST(SystemGpioKernelTest, chips_are_sorted_by_number_without_a_limit) {
    auto const folder = TemporaryDirectory::create();
    ASSERT_TRUE(folder);
    for (std::string const name :
         {"gpiochip10", "gpiochip2", "gpiochip512", "gpiochip", "gpiochipx", "gpiochip1a", "tty0"}) {
        ASSERT_TRUE(write_file_atomically(folder->path() / name, {}));
    }
    SystemGpioKernel kernel(folder->path());
    EXPECT_THAT(kernel.chip_names(), ::testing::ElementsAre("gpiochip2", "gpiochip10", "gpiochip512"));
    auto const chip = kernel.open_chip("gpiochip2");
    ASSERT_TRUE(chip);
    EXPECT_EQ(kernel.control(chip->get(), 0, nullptr), ENOTTY);
    EXPECT_EQ(kernel.open_chip("gpiochip3").error(), ENOENT);
}

TEST(SystemGpioKernelTest, a_folder_that_is_not_there_has_no_chips) {
    EXPECT_TRUE(SystemGpioKernel("/nowhere/at/all").chip_names().empty());
}

} // namespace
} // namespace sinew::circuits
