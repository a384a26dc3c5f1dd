// See gpio_errors.hpp.
#include "gpio_errors.hpp"

#include <sinew/base/result.hpp>
#include <sinew/circuits/line.hpp>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sinew::circuits {

namespace {

/// The kernel's own code for "not supported"; it reaches programs although <cerrno> does not name it.
constexpr int kernel_enotsupp = 524;
constexpr std::size_t most_names_shown = 24;

std::string in_quotes(std::string_view text) {
    return "'" + std::string(text) + "'";
}

std::string reason(int sys_errno) {
    return std::system_category().message(sys_errno);
}

std::string shown_chip(ChipInfo const& chip) {
    if (chip.open_errno != 0) {
        return chip.name + " (can't be opened: " + reason(chip.open_errno) + ")";
    }
    return chip.name + " (" + (chip.label.empty() ? "no label" : chip.label) + ", lines 0 to " +
           std::to_string(chip.line_count - 1) + ")";
}

template<typename Range, typename Show>
std::string listed(Range const& items, Show show) {
    std::string text;
    std::size_t count = 0;
    for (auto const& item : items) {
        if (count == most_names_shown) {
            return text + ", ...";
        }
        text += (count++ == 0 ? "" : ", ") + show(item);
    }
    return text;
}

std::string wanted_features(GpioOptions const& options) {
    std::string text = options.direction == Direction::input ? "input" : "output";
    if (options.bias != Bias::as_is) {
        text += ", bias";
    }
    if (options.drive != Drive::push_pull) {
        text += options.drive == Drive::open_drain ? ", open drain" : ", open source";
    }
    if (options.edges != Edges::none) {
        text += ", edges";
    }
    if (options.debounce.count() != 0) {
        text += ", debounce";
    }
    return text;
}

} // namespace

Error no_such_line(std::string_view wanted, std::vector<ChipInfo> const& chips,
                   std::vector<LineInfo> const& lines) {
    std::vector<std::string> names;
    for (LineInfo const& line : lines) {
        if (!line.name.empty()) {
            names.push_back(line.name);
        }
    }
    std::string message =
        "there is no GPIO line " + in_quotes(wanted) + "; chips: " + listed(chips, shown_chip) + "; ";
    if (names.empty()) {
        message += "none of their lines has a name";
    } else {
        message += "names: " + listed(names, [](std::string const& name) { return name; });
    }
    return {ErrorCode::not_found, message + ". Write CHIP:OFFSET, or set [circuits] aliases"};
}

Error no_such_offset(std::string_view wanted, ChipInfo const& chip) {
    return {ErrorCode::not_found, "there is no GPIO line " + in_quotes(wanted) + ": " + shown_chip(chip) +
                                      " is what that chip has"};
}

Error ambiguous_line(std::string_view wanted, std::span<std::string const> candidates) {
    return {ErrorCode::invalid_argument,
            "GPIO line " + in_quotes(wanted) + " may be any of " +
                listed(candidates, [](std::string const& name) { return name; }) + "; write which one"};
}

Error chip_not_usable(std::string_view wanted, ChipInfo const& chip) {
    bool const denied = chip.open_errno == EACCES || chip.open_errno == EPERM;
    std::string message =
        "GPIO line " + in_quotes(wanted) + ": can't open /dev/" + chip.name + ": " + reason(chip.open_errno);
    message += denied ? "; run as root, or give the user access to that device" : "";
    return {denied ? ErrorCode::denied : ErrorCode::io, message, chip.open_errno};
}

Error no_gpio() {
    return {
        ErrorCode::unavailable,
        "this machine has no GPIO: there is no /dev/gpiochip*. Load the driver of the chip (on an emulated "
        "device: "
        "the modules uhid and hid-cp2112, then sinew-sim serve), or set [circuits] backend = \"simulated\""};
}

Error line_busy(LineInfo const& line) {
    std::string const holder = line.consumer.empty() ? "a consumer without a name" : in_quotes(line.consumer);
    return {ErrorCode::unavailable,
            "GPIO line " + to_string(line) + " is held by " + holder +
                "; a line has one holder at a time: end that one, or use another line",
            EBUSY};
}

Error write_to_input(LineInfo const& line) {
    return {ErrorCode::invalid_argument,
            "can't write GPIO line " + to_string(line) +
                ": it was opened as an input; open it with .direction = Direction::output",
            EPERM};
}

Error edges_not_requested(LineInfo const& line) {
    return {ErrorCode::invalid_argument,
            "GPIO line " + to_string(line) +
                " reports no edges: open it with .edges = Edges::both, rising or falling"};
}

Error line_failure(int sys_errno, std::string_view doing, LineInfo const& line) {
    std::string const what = "can't " + std::string(doing) + " GPIO line " + to_string(line) + ": ";
    if (sys_errno == ENODEV) {
        return {ErrorCode::unavailable,
                what + "its chip is gone (unplugged, or its driver was removed); open the line anew",
                sys_errno};
    }
    if (sys_errno == ETIMEDOUT) {
        return {ErrorCode::timed_out, what + "its chip does not answer", sys_errno};
    }
    return {ErrorCode::io, what + reason(sys_errno), sys_errno};
}

Error request_failure(int sys_errno, LineInfo const& line, GpioOptions const& options) {
    std::string const what =
        "can't set up GPIO line " + to_string(line) + " (" + wanted_features(options) + "): ";
    switch (sys_errno) {
    case EBUSY:
        return line_busy(line);
    case EACCES:
    case EPERM:
        return {ErrorCode::denied,
                what + reason(sys_errno) + "; run as root, or give the user access to /dev/" + line.chip,
                sys_errno};
    case ENXIO:
        return {ErrorCode::unsupported,
                what + "its chip has no interrupt for it; read the line from a timer instead", sys_errno};
    case ENOTTY:
        return {ErrorCode::unsupported,
                what + "the kernel lacks the GPIO uAPI version 2; Linux 5.10 or newer has it", sys_errno};
    case EINVAL:
    case EOPNOTSUPP:
    case kernel_enotsupp:
        return {ErrorCode::unsupported, what + "the chip or the kernel does not support this combination",
                sys_errno};
    default:
        return line_failure(sys_errno, "set up", line);
    }
}

} // namespace sinew::circuits
