/// A line of the GPIO character device that this program holds.
///
/// Threading: for one thread at a time.
#pragma once

#include "debouncer.hpp"
#include "gpio_kernel.hpp"
#include "gpio_uapi.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace sinew::circuits {

class KernelLine final : public GpioBackend {
public:
    /// Takes `line` of the opened `chip`. Errors: see Board::open_gpio().
    [[nodiscard]] static Result<std::unique_ptr<KernelLine>> open(LineInfo const& line,
                                                                  GpioOptions const& options,
                                                                  FileDescriptor const& chip,
                                                                  std::shared_ptr<GpioKernel> kernel);
    ~KernelLine() override;
    KernelLine(KernelLine const&) = delete;
    KernelLine& operator=(KernelLine const&) = delete;
    KernelLine(KernelLine&&) = delete;
    KernelLine& operator=(KernelLine&&) = delete;

    [[nodiscard]] Result<bool> read() override;
    [[nodiscard]] Result<> write(bool value) override;
    [[nodiscard]] Result<> configure(GpioOptions const& options) override;
    [[nodiscard]] int edge_descriptor() const noexcept override;
    [[nodiscard]] Result<std::vector<EdgeEvent>> read_edges() override;

private:
    /// Debounce of our own. `timer` fires when an edge is due; `both` is readable when the line or the timer
    /// is.
    struct OwnDebounce {
        Debouncer debouncer;
        FileDescriptor timer;
        FileDescriptor both;
    };

    KernelLine(LineInfo line, FileDescriptor descriptor, std::shared_ptr<GpioKernel> kernel);
    [[nodiscard]] Result<> debounce_here(GpioOptions const& options);
    [[nodiscard]] int set_config(GpioOptions const& options);
    [[nodiscard]] Result<bool> read_raw();
    [[nodiscard]] Result<std::vector<EdgeEvent>> read_raw_edges();
    [[nodiscard]] Result<std::vector<EdgeEvent>> read_debounced_edges(OwnDebounce& own);

    LineInfo m_line;
    FileDescriptor m_descriptor;
    std::shared_ptr<GpioKernel> m_kernel;
    uapi::EdgeDecoder m_decoder;
    std::optional<OwnDebounce> m_own_debounce;
    /// Edges that read() came across.
    std::vector<EdgeEvent> m_waiting;
};

/// What the kernel says of a line. Error unsupported: a kernel before 5.10.
[[nodiscard]] Result<LineInfo> kernel_line_info(GpioKernel& kernel, FileDescriptor const& chip,
                                                ChipInfo const& info, std::uint32_t offset);

} // namespace sinew::circuits
