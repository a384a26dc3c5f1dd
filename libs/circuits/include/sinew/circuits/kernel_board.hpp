/// KernelBoard: the lines of this machine, through the kernel's GPIO character devices (uAPI version 2,
/// Linux 5.10).
///
/// Threading: see Board.
#pragma once

#include <sinew/circuits/board.hpp>

#include <memory>
#include <vector>

namespace sinew::circuits {

/// The few system calls a KernelBoard makes, so that a test can stand in for the kernel.
class GpioKernel;

class KernelBoard final : public Board {
public:
    /// Nothing is opened before a line is asked for: chips may come later (USB, sinew-sim).
    explicit KernelBoard(Aliases aliases = {});
    /// For tests.
    KernelBoard(Aliases aliases, std::shared_ptr<GpioKernel> kernel);

    [[nodiscard]] Result<std::vector<ChipInfo>> chips() override;
    [[nodiscard]] Result<std::vector<LineInfo>> lines(ChipInfo const& chip) override;
    using Board::lines;

protected:
    [[nodiscard]] Result<std::unique_ptr<GpioBackend>> open_line(LineInfo const& line,
                                                                 GpioOptions const& options) override;

private:
    std::shared_ptr<GpioKernel> m_kernel;
};

} // namespace sinew::circuits
