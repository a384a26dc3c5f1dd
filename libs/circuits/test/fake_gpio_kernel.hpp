/// A kernel in memory for KernelBoard: chips, lines and the errnos that Linux answers with.
///
/// Threading: for one test's thread.
#pragma once

#include "gpio_kernel.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>

#include <fcntl.h>
#include <linux/gpio.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sinew::circuits::testing {

struct FakeLine {
    std::string name;
    std::string consumer;
    std::uint64_t flags = 0;
    bool value = false;
    gpio_v2_line_config config{};
};

struct FakeChip {
    std::string name;
    std::string label;
    std::vector<FakeLine> lines;
    int open_errno = 0;
};

class FakeGpioKernel final : public GpioKernel {
public:
    /// A busy machine may take its time to close a line.
    FakeGpioKernel()
        : GpioKernel(std::make_shared<ClosingLines>(std::chrono::seconds(30))) {}

    std::vector<FakeChip> chips;
    /// What GPIO_V2_GET_LINE_IOCTL answers, and what the ioctls of lines answer.
    int request_errno = 0;
    int line_errno = 0;
    /// As for a chip behind USB.
    bool lacks_debounce = false;
    /// A line isn't given again before its descriptor is closed.
    bool one_holder_a_line = false;
    gpio_v2_line_request last_request{};
    std::deque<gpio_v2_line_event> events;
    int read_errno = EAGAIN;

    std::vector<std::string> chip_names() override {
        std::vector<std::string> names;
        for (FakeChip const& chip : chips) {
            names.push_back(chip.name);
        }
        return names;
    }

    std::expected<FileDescriptor, int> open_chip(std::string const& name) override {
        for (FakeChip& chip : chips) {
            if (chip.name == name) {
                if (chip.open_errno != 0) {
                    return std::unexpected(chip.open_errno);
                }
                FileDescriptor descriptor(::open("/dev/null", O_RDWR | O_CLOEXEC));
                m_chips[descriptor.get()] = &chip;
                return descriptor;
            }
        }
        return std::unexpected(ENOENT);
    }

    int control(int descriptor, unsigned long request, void* argument) override {
        switch (request) {
        case GPIO_GET_CHIPINFO_IOCTL:
            return chip_info(*m_chips.at(descriptor), *static_cast<gpiochip_info*>(argument));
        case GPIO_V2_GET_LINEINFO_IOCTL:
            return line_info(*m_chips.at(descriptor), *static_cast<gpio_v2_line_info*>(argument));
        case GPIO_V2_GET_LINE_IOCTL:
            return take(*m_chips.at(descriptor), *static_cast<gpio_v2_line_request*>(argument));
        case GPIO_V2_LINE_GET_VALUES_IOCTL:
            static_cast<gpio_v2_line_values*>(argument)->bits = m_lines.at(descriptor)->value ? 1 : 0;
            return line_errno;
        case GPIO_V2_LINE_SET_VALUES_IOCTL:
            m_lines.at(descriptor)->value = (static_cast<gpio_v2_line_values*>(argument)->bits & 1) != 0;
            return line_errno;
        case GPIO_V2_LINE_SET_CONFIG_IOCTL:
            if (lacks_debounce && has_debounce(*static_cast<gpio_v2_line_config*>(argument))) {
                return EINVAL;
            }
            m_lines.at(descriptor)->config = *static_cast<gpio_v2_line_config*>(argument);
            return line_errno;
        default:
            return ENOTTY;
        }
    }

    std::expected<std::size_t, int> read(int /*descriptor*/, MutableBytesView into) override {
        std::size_t written = 0;
        while (!events.empty() && into.size() - written >= sizeof(gpio_v2_line_event)) {
            std::memcpy(into.data() + written, &events.front(), sizeof(gpio_v2_line_event));
            written += sizeof(gpio_v2_line_event);
            events.pop_front();
        }
        if (written == 0) {
            return std::unexpected(read_errno);
        }
        return written;
    }

private:
    static int chip_info(FakeChip const& chip, gpiochip_info& info) {
        chip.name.copy(static_cast<char*>(info.name), sizeof(info.name) - 1);
        chip.label.copy(static_cast<char*>(info.label), sizeof(info.label) - 1);
        info.lines = static_cast<std::uint32_t>(chip.lines.size());
        return 0;
    }

    static int line_info(FakeChip const& chip, gpio_v2_line_info& info) {
        if (info.offset >= chip.lines.size()) {
            return EINVAL;
        }
        FakeLine const& line = chip.lines[info.offset];
        line.name.copy(static_cast<char*>(info.name), sizeof(info.name) - 1);
        line.consumer.copy(static_cast<char*>(info.consumer), sizeof(info.consumer) - 1);
        info.flags = line.flags;
        return 0;
    }

    /// The line's descriptor is a pipe's end, and the other end tells whether it is closed.
    int take_alone(FakeLine& line, gpio_v2_line_request& request) {
        if (auto const holder = m_holders.find(&line); holder != m_holders.end()) {
            pollfd other_end{.fd = holder->second.get(), .events = 0, .revents = 0};
            if (::poll(&other_end, 1, 0) != 1) {
                return EBUSY;
            }
        }
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            return errno;
        }
        m_holders[&line] = FileDescriptor(ends[0]);
        request.fd = ends[1];
        m_lines[request.fd] = &line;
        return 0;
    }

    static bool has_debounce(gpio_v2_line_config const& config) {
        return config.num_attrs > 0 && config.attrs[0].attr.id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
    }

    int take(FakeChip& chip, gpio_v2_line_request& request) {
        last_request = request;
        if (lacks_debounce && has_debounce(request.config)) {
            return EINVAL;
        }
        FakeLine& line = chip.lines.at(request.offsets[0]);
        if (request_errno != 0 || (line.flags & GPIO_V2_LINE_FLAG_USED) != 0) {
            return request_errno != 0 ? request_errno : EBUSY;
        }
        if (one_holder_a_line) {
            return take_alone(line, request);
        }
        line.config = request.config;
        line.value = (request.config.attrs[0].attr.values & 1) != 0;
        // Something that can be watched, and is never readable.
        request.fd = ::eventfd(0, EFD_CLOEXEC);
        m_lines[request.fd] = &line;
        return 0;
    }

    std::map<int, FakeChip*> m_chips;
    std::map<int, FakeLine*> m_lines;
    std::map<FakeLine const*, FileDescriptor> m_holders;
};

} // namespace sinew::circuits::testing
