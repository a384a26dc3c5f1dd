/// Board: where lines come from. Handed to whoever needs hardware, so that a test or a host run hands in
/// another one.
///
/// Invariant: which line a text means, and which requests are refused, is decided here and so is the same for
/// every kind of board. Threading: safe from any thread. Calls are short and never wait for an event.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/line.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::circuits {

/// Names of the application for lines: "LED0" -> "cp2112_gpio:0". Looked up before the names of the chips.
using Aliases = std::map<std::string, std::string>;

class Board {
public:
    explicit Board(Aliases aliases)
        : m_aliases(std::move(aliases)) {}
    Board(Board const&) = delete;
    Board& operator=(Board const&) = delete;
    virtual ~Board() = default;

    /// Finds `line` ("LED0", "cp2112_gpio:4", "gpiochip0:4") and takes it.
    /// Errors: not_found: no such line, with those there are; invalid_argument: the name fits several lines,
    /// or the options contradict each other; unavailable: somebody holds it (the message says who), no GPIO
    /// in this kernel; denied: no permission for the chip; unsupported: the chip can't do what `options` ask
    /// for.
    [[nodiscard]] Result<Gpio> open_gpio(std::string_view line, GpioOptions const& options = {});

    /// The line that `line` means, as it is now. Errors as for open_gpio(), but for a held line.
    [[nodiscard]] Result<LineInfo> find_line(std::string_view line);

    /// Every chip, by number.
    [[nodiscard]] virtual Result<std::vector<ChipInfo>> chips() = 0;
    /// Every line of `chip`, by offset.
    [[nodiscard]] virtual Result<std::vector<LineInfo>> lines(ChipInfo const& chip) = 0;
    /// Every line of every chip.
    [[nodiscard]] Result<std::vector<LineInfo>> lines();

    [[nodiscard]] Aliases const& aliases() const noexcept { return m_aliases; }

protected:
    /// Takes `line`. The options have been checked for contradictions.
    [[nodiscard]] virtual Result<std::unique_ptr<GpioBackend>> open_line(LineInfo const& line,
                                                                         GpioOptions const& options) = 0;

private:
    Aliases m_aliases;
};

} // namespace sinew::circuits
