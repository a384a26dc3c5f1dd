/// What a GPIO line is called, what is known about it, and how it is asked for.
///
/// A line is written as text, everywhere the same: "LED0" (an alias of the configuration, or the name the
/// kernel gives the line), "cp2112_gpio:4" (chip label and offset) or "gpiochip0:4" (chip and offset).
/// Threading: plain values.
#pragma once

#include <sinew/base/describe.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace sinew::circuits {

enum class Direction : std::uint8_t { input, output };
BOOST_DESCRIBE_ENUM(Direction, input, output)

/// The resistor inside the chip; as_is leaves what firmware or device tree set up.
enum class Bias : std::uint8_t { as_is, disabled, pull_up, pull_down };
BOOST_DESCRIBE_ENUM(Bias, as_is, disabled, pull_up, pull_down)

enum class Drive : std::uint8_t { push_pull, open_drain, open_source };
BOOST_DESCRIBE_ENUM(Drive, push_pull, open_drain, open_source)

/// Which physical level means `true`.
enum class Polarity : std::uint8_t { active_high, active_low };
BOOST_DESCRIBE_ENUM(Polarity, active_high, active_low)

/// Which changes of an input are reported; rising means from false to true, after the polarity.
enum class Edges : std::uint8_t { none, rising, falling, both };
BOOST_DESCRIBE_ENUM(Edges, none, rising, falling, both)

/// How a line is wanted. Described, so that it can be a table of a TOML file.
struct GpioOptions {
    Direction direction = Direction::input;
    /// The first value of an output; set in the same step as the direction, so no other level is seen in
    /// between.
    bool initial_value = false;
    /// The kernel ignores a bias that the chip has no register for, without an error.
    Bias bias = Bias::as_is;
    /// Outputs only.
    Drive drive = Drive::push_pull;
    Polarity polarity = Polarity::active_high;
    /// Inputs only.
    Edges edges = Edges::none;
    /// Inputs only: a level counts when it was stable for this long. 0 is none; at most 4294 s. The kernel
    /// does it, or this library where the kernel can't: for chips that it reads over USB, I2C or SPI.
    std::chrono::microseconds debounce{0};
    /// Who holds the line, shown by tools and in the error of the next one who asks. The kernel keeps 31
    /// bytes.
    std::string consumer = "sinew";
    /// How many edges are kept until they are read: 1 to 1024. When full the oldest are dropped, which
    /// EdgeEvent::missed reports.
    std::uint32_t event_buffer = 64;
};
BOOST_DESCRIBE_STRUCT(GpioOptions, (),
                      (direction, initial_value, bias, drive, polarity, edges, debounce, consumer,
                       event_buffer))

/// A GPIO chip of a board.
struct ChipInfo {
    /// "gpiochip0"
    std::string name;
    /// What the driver calls it, "cp2112_gpio"; two chips may share a label.
    std::string label;
    std::uint32_t line_count = 0;
    /// Why it can't be used, as an errno (EACCES, ...), label and line_count are then empty; 0 when it can.
    int open_errno = 0;
};
BOOST_DESCRIBE_STRUCT(ChipInfo, (), (name, label, line_count, open_errno))

/// A line as it is now.
struct LineInfo {
    /// "gpiochip0"
    std::string chip;
    std::string chip_label;
    std::uint32_t offset = 0;
    /// Empty when the driver names none (the CP2112's does not).
    std::string name;
    /// Whether somebody holds it, and who, as far as it says.
    bool used = false;
    std::string consumer;
    Direction direction = Direction::input;
    Bias bias = Bias::as_is;
    Drive drive = Drive::push_pull;
    Polarity polarity = Polarity::active_high;
    std::chrono::microseconds debounce{0};
};
BOOST_DESCRIBE_STRUCT(LineInfo, (),
                      (chip, chip_label, offset, name, used, consumer, direction, bias, drive, polarity,
                       debounce))

/// "gpiochip0:4", or "gpiochip0:4 (LED0)" when the line has a name.
[[nodiscard]] std::string to_string(LineInfo const& line);

} // namespace sinew::circuits
