// See virtual_board.hpp.
#include "virtual_board.hpp"

#include "i2c_devices.hpp"
#include "pins.hpp"
#include "protocol.hpp"

#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace sinew::sim {

VirtualBoard::VirtualBoard(Options const& options)
    : m_pins(options.wiring)
    , m_chip(m_pins, {{0x48, m_sensor}, {0x50, std::make_shared<Eeprom>()}}) {
    for (auto const& [name, line] : options.names) {
        m_names.at(line) = name;
    }
}

LineState VirtualBoard::state(std::size_t line) const {
    return {.line = static_cast<int>(line),
            .name = m_names.at(line),
            .direction = m_pins.is_output(line) ? LineDirection::output : LineDirection::input,
            .value = m_pins.level(line) ? 1 : 0,
            .driven = m_pins.is_driven(line),
            .changes = m_history.at(line).changes,
            .first_change_ns = m_history.at(line).first_change_ns};
}

std::uint8_t VirtualBoard::take_changes(MonotonicTime now) {
    std::uint8_t const levels = m_pins.levels();
    auto const changed = static_cast<std::uint8_t>(levels ^ m_last_levels);
    m_last_levels = levels;
    for (std::size_t line = 0; line < Pins::count; ++line) {
        if (((changed >> line) & 1U) == 0) {
            continue;
        }
        History& history = m_history.at(line);
        if (history.changes++ == 0) {
            history.first_change_ns = now.time_since_epoch().count();
        }
    }
    return changed;
}

Result<std::size_t> VirtualBoard::find_line(std::string_view text) const {
    for (std::size_t line = 0; line < Pins::count; ++line) {
        if (!text.empty() && m_names.at(line) == text) {
            return line;
        }
    }
    std::string_view digits = text;
    std::string const prefix = std::string(chip_label) + ":";
    if (digits.starts_with(prefix)) {
        digits.remove_prefix(prefix.size());
    }
    auto const line = parse_uint64(digits, Pins::count - 1);
    if (!line) {
        return failure(ErrorCode::not_found,
                       "there is no line '" + std::string(text) +
                           "': write 0 to 7, cp2112_gpio:0 to cp2112_gpio:7, or a name given with "
                           "serve --name");
    }
    return *line;
}

Reply VirtualBoard::all_lines() const {
    Reply reply{.ok = true, .error = {}, .lines = {}, .celsius = m_sensor->celsius(), .looks = m_looks};
    for (std::size_t line = 0; line < Pins::count; ++line) {
        reply.lines.push_back(state(line));
    }
    return reply;
}

Result<Reply> VirtualBoard::try_handle(Request const& request) {
    Reply reply{.ok = true, .error = {}, .lines = {}, .celsius = {}};
    if (request.command == Verb::temperature) {
        if (request.celsius) {
            if (!(*request.celsius >= Tmp102::lowest_celsius &&
                  *request.celsius <= Tmp102::highest_celsius)) {
                return failure(ErrorCode::invalid_argument, "the sensor measures from -55 to 127.9375 °C");
            }
            m_sensor->set_celsius(*request.celsius);
        }
        reply.celsius = m_sensor->celsius();
        return reply;
    }
    if (!request.line) {
        return all_lines();
    }
    TRY(auto line, find_line(*request.line));
    if (request.command == Verb::set) {
        TRY_OK(m_pins.drive(line, request.value.value_or(0) == 1));
    } else if (request.command == Verb::release) {
        TRY_OK(m_pins.drive(line, std::nullopt));
    }
    reply.lines.push_back(state(line));
    return reply;
}

Reply VirtualBoard::handle(Request const& request) {
    auto reply = try_handle(request);
    if (!reply) {
        return {.ok = false, .error = reply.error().message(), .lines = {}, .celsius = {}};
    }
    return std::move(*reply);
}

} // namespace sinew::sim
