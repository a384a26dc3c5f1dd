/// The system calls a KernelBoard makes, behind an interface so that a test can be the kernel.
///
/// Threading: safe from any thread.
#pragma once

#include "closing_lines.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <cstddef>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sinew::circuits {

class GpioKernel {
public:
    virtual ~GpioKernel() = default;
    /// "gpiochip0", ... by number; empty when there is none.
    [[nodiscard]] virtual std::vector<std::string> chip_names() = 0;
    /// The chip's device, or an errno.
    [[nodiscard]] virtual std::expected<FileDescriptor, int> open_chip(std::string const& name) = 0;
    /// ioctl(2): 0 or an errno.
    [[nodiscard]] virtual int control(int descriptor, unsigned long request, void* argument) = 0;
    /// read(2) without waiting: the bytes read, or an errno (EAGAIN: nothing there).
    [[nodiscard]] virtual std::expected<std::size_t, int> read(int descriptor, MutableBytesView into) = 0;
    [[nodiscard]] std::shared_ptr<ClosingLines> const& closing() const noexcept { return m_closing; }

protected:
    GpioKernel() = default;
    explicit GpioKernel(std::shared_ptr<ClosingLines> closing)
        : m_closing(std::move(closing)) {}

private:
    std::shared_ptr<ClosingLines> m_closing = std::make_shared<ClosingLines>();
};

/// The real one: the devices in `folder`.
class SystemGpioKernel final : public GpioKernel {
public:
    explicit SystemGpioKernel(std::filesystem::path folder = "/dev")
        : m_folder(std::move(folder)) {}
    [[nodiscard]] std::vector<std::string> chip_names() override;
    [[nodiscard]] std::expected<FileDescriptor, int> open_chip(std::string const& name) override;
    [[nodiscard]] int control(int descriptor, unsigned long request, void* argument) override;
    [[nodiscard]] std::expected<std::size_t, int> read(int descriptor, MutableBytesView into) override;

private:
    std::filesystem::path m_folder;
};

} // namespace sinew::circuits
