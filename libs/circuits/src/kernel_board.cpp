// KernelBoard and its lines: each operation is one ioctl on a descriptor of the GPIO character device.
#include "gpio_errors.hpp"
#include "gpio_kernel.hpp"
#include "gpio_uapi.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits/board.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/kernel_board.hpp>
#include <sinew/circuits/line.hpp>

#include <fcntl.h>
#include <linux/gpio.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sinew::circuits {

namespace {

constexpr std::size_t most_events_a_read = 64;

class KernelLine final : public GpioBackend {
public:
    KernelLine(LineInfo line, FileDescriptor descriptor, std::shared_ptr<GpioKernel> kernel)
        : m_line(std::move(line))
        , m_descriptor(std::move(descriptor))
        , m_kernel(std::move(kernel)) {}

    Result<bool> read() override {
        gpio_v2_line_values values{.bits = 0, .mask = 1};
        if (int const error = m_kernel->control(m_descriptor.get(), GPIO_V2_LINE_GET_VALUES_IOCTL, &values)) {
            return std::unexpected(line_failure(error, "read", m_line));
        }
        return (values.bits & 1) != 0;
    }

    Result<> write(bool value) override {
        gpio_v2_line_values values{.bits = value ? 1U : 0U, .mask = 1};
        if (int const error = m_kernel->control(m_descriptor.get(), GPIO_V2_LINE_SET_VALUES_IOCTL, &values)) {
            return std::unexpected(line_failure(error, "write", m_line));
        }
        return {};
    }

    Result<> configure(GpioOptions const& options) override {
        gpio_v2_line_config config = uapi::make_config(options);
        if (int const error = m_kernel->control(m_descriptor.get(), GPIO_V2_LINE_SET_CONFIG_IOCTL, &config)) {
            return std::unexpected(request_failure(error, m_line, options));
        }
        return {};
    }

    int edge_descriptor() const noexcept override { return m_descriptor.get(); }

    Result<std::vector<EdgeEvent>> read_edges() override {
        alignas(gpio_v2_line_event) std::array<std::byte, most_events_a_read * sizeof(gpio_v2_line_event)>
            records{};
        auto const count = m_kernel->read(m_descriptor.get(), records);
        if (!count) {
            if (count.error() == EAGAIN) {
                return std::vector<EdgeEvent>();
            }
            return std::unexpected(line_failure(count.error(), "read edges of", m_line));
        }
        return m_decoder.decode(BytesView(records).first(*count));
    }

private:
    LineInfo m_line;
    FileDescriptor m_descriptor;
    std::shared_ptr<GpioKernel> m_kernel;
    uapi::EdgeDecoder m_decoder;
};

Result<LineInfo> line_info(GpioKernel& kernel, int chip_descriptor, ChipInfo const& chip,
                           std::uint32_t offset) {
    gpio_v2_line_info info{};
    info.offset = offset;
    if (int const error = kernel.control(chip_descriptor, GPIO_V2_GET_LINEINFO_IOCTL, &info)) {
        LineInfo line;
        line.chip = chip.name;
        line.offset = offset;
        return std::unexpected(error == ENOTTY ? request_failure(error, line, {})
                                               : line_failure(error, "look at", line));
    }
    return uapi::read_line_info(info, chip);
}

} // namespace

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
        TRY(auto line, line_info(*m_kernel, descriptor->get(), chip, offset));
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
    gpio_v2_line_request request = uapi::make_request(line.offset, options);
    if (int const error = m_kernel->control(chip->get(), GPIO_V2_GET_LINE_IOCTL, &request)) {
        // Asked again: who holds it may have come after `line` was read.
        auto const now = line_info(*m_kernel, chip->get(), {line.chip, line.chip_label, 0, 0}, line.offset);
        return std::unexpected(request_failure(error, now ? *now : line, options));
    }
    FileDescriptor descriptor(request.fd);
    int const flags = ::fcntl(descriptor.get(), F_GETFL);
    if (flags < 0 || ::fcntl(descriptor.get(), F_SETFL, flags | O_NONBLOCK) < 0) {
        return std::unexpected(line_failure(errno, "set up", line));
    }
    return std::make_unique<KernelLine>(line, std::move(descriptor), m_kernel);
}

} // namespace sinew::circuits
