// KernelBoard: the chips of /dev and their lines, asked anew each time.
#include "gpio_errors.hpp"
#include "gpio_kernel.hpp"
#include "gpio_uapi.hpp"
#include "kernel_line.hpp"

#include <sinew/base/result.hpp>
#include <sinew/circuits/board.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/kernel_board.hpp>
#include <sinew/circuits/line.hpp>

#include <linux/gpio.h>

#include <cerrno>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sinew::circuits {

KernelBoard::KernelBoard(Aliases aliases)
    : KernelBoard(std::move(aliases), std::make_shared<SystemGpioKernel>()) {}

KernelBoard::KernelBoard(Aliases aliases, std::shared_ptr<GpioKernel> kernel)
    : Board(std::move(aliases))
    , m_kernel(std::move(kernel)) {}

Result<std::vector<ChipInfo>> KernelBoard::chips() {
    std::vector<ChipInfo> found;
    for (std::string const& name : m_kernel->chip_names()) {
        ChipInfo chip{.name = name, .label = {}, .line_count = 0, .open_errno = 0};
        gpiochip_info info{};
        auto const descriptor = m_kernel->open_chip(name);
        int const error = descriptor ? m_kernel->control(descriptor->get(), GPIO_GET_CHIPINFO_IOCTL, &info)
                                     : descriptor.error();
        if (error == ENOENT || error == ENODEV || error == ENXIO) {
            continue; // The chip went away between the two steps.
        }
        if (error == 0) {
            chip = uapi::read_chip_info(info);
            chip.name = name;
        } else {
            chip.open_errno = error;
        }
        found.push_back(std::move(chip));
    }
    if (found.empty()) {
        return std::unexpected(no_gpio());
    }
    return found;
}

Result<std::vector<LineInfo>> KernelBoard::lines(ChipInfo const& chip) {
    auto const descriptor = m_kernel->open_chip(chip.name);
    if (!descriptor) {
        ChipInfo broken = chip;
        broken.open_errno = descriptor.error();
        return std::unexpected(chip_not_usable(chip.name, broken));
    }
    std::vector<LineInfo> found;
    found.reserve(chip.line_count);
    for (std::uint32_t offset = 0; offset < chip.line_count; ++offset) {
        TRY(auto line, kernel_line_info(*m_kernel, *descriptor, chip, offset));
        found.push_back(std::move(line));
    }
    return found;
}

Result<std::unique_ptr<GpioBackend>> KernelBoard::open_line(LineInfo const& line,
                                                            GpioOptions const& options) {
    auto const chip = m_kernel->open_chip(line.chip);
    if (!chip) {
        return std::unexpected(request_failure(chip.error(), line, options));
    }
    return KernelLine::open(line, options, *chip, m_kernel);
}

} // namespace sinew::circuits
