// See cp2112.hpp.
#include "cp2112.hpp"

#include "i2c_devices.hpp"
#include "pins.hpp"

#include <sinew/base/bytes.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::sim {

namespace {

constexpr std::size_t most_read_bytes = 512;
constexpr std::size_t most_data_a_report = 61;
constexpr std::size_t most_address_bytes = 16;
constexpr std::size_t string_report_size = 62;
constexpr std::uint8_t not_acknowledged = 0;
constexpr std::uint8_t success = 5;

constexpr std::byte byte_of(Report report) {
    return static_cast<std::byte>(report);
}

std::uint8_t value_of(std::byte value) {
    return std::to_integer<std::uint8_t>(value);
}

/// The chip's integers are big-endian.
std::uint16_t load_be16(BytesView bytes, std::size_t at) {
    return static_cast<std::uint16_t>((value_of(bytes[at]) << 8) | value_of(bytes[at + 1]));
}

void store_be16(MutableBytesView bytes, std::size_t at, std::uint16_t value) {
    bytes[at] = static_cast<std::byte>(value >> 8);
    bytes[at + 1] = static_cast<std::byte>(value & 0xffU);
}

/// A USB string descriptor behind the report number: its length, its type, UTF-16.
Bytes string_report(Report report, std::string_view text) {
    Bytes bytes(string_report_size);
    bytes[0] = byte_of(report);
    bytes[1] = static_cast<std::byte>(2 + (2 * text.size()));
    bytes[2] = std::byte{3};
    for (std::size_t i = 0; i < text.size(); ++i) {
        bytes[3 + (2 * i)] = static_cast<std::byte>(text[i]);
    }
    return bytes;
}

Bytes usb_config_report() {
    Bytes bytes(10);
    bytes[0] = byte_of(Report::usb_config);
    store_le16(bytes, 1, Cp2112::vendor_id);
    store_le16(bytes, 3, Cp2112::product_id);
    bytes[5] = std::byte{0x32}; // 100 mA, in units of 2 mA.
    bytes[7] = std::byte{1};    // Release 1.0.
    return bytes;
}

/// 100 kHz, own address 1, no automatic sending, no timeouts, one retry.
constexpr std::array<std::byte, 14> initial_smbus_config() {
    std::array<std::byte, 14> config{};
    config[0] = byte_of(Report::smbus_config);
    config[2] = std::byte{0x01};
    config[3] = std::byte{0x86};
    config[4] = std::byte{0xa0};
    config[5] = std::byte{0x02};
    config[13] = std::byte{1};
    return config;
}

} // namespace

Cp2112::Cp2112(Pins& pins, I2cBus bus)
    : m_pins(pins)
    , m_bus(std::move(bus))
    , m_smbus_config(initial_smbus_config()) {}

std::optional<Bytes> Cp2112::get_feature(std::uint8_t number) const {
    switch (static_cast<Report>(number)) {
    case Report::gpio_config:
        return Bytes{byte_of(Report::gpio_config), static_cast<std::byte>(m_pins.directions()),
                     static_cast<std::byte>(m_pins.push_pull()), m_special_functions[0],
                     m_special_functions[1]};
    case Report::gpio_get:
        return Bytes{byte_of(Report::gpio_get), static_cast<std::byte>(m_pins.levels())};
    case Report::version:
        // Part 12; version 2 is the first that can do a repeated start.
        return Bytes{byte_of(Report::version), std::byte{0x0c}, std::byte{0x02}};
    case Report::smbus_config:
        return Bytes(m_smbus_config.begin(), m_smbus_config.end());
    case Report::lock_byte:
        // Everything was programmed in the factory: the driver makes its settings read-only.
        return Bytes{byte_of(Report::lock_byte), std::byte{0}};
    case Report::usb_config:
        return usb_config_report();
    case Report::manufacturer_string:
        return string_report(Report::manufacturer_string, "Sinew");
    case Report::product_string:
        return string_report(Report::product_string, "Simulated CP2112");
    case Report::serial_string:
        return string_report(Report::serial_string, "SIM0001");
    default:
        return std::nullopt;
    }
}

bool Cp2112::set_feature(BytesView report) {
    if (report.empty()) {
        return false;
    }
    switch (static_cast<Report>(report[0])) {
    case Report::gpio_config:
        if (report.size() < 5) {
            return false;
        }
        m_pins.set_directions(value_of(report[1]));
        m_pins.set_push_pull(value_of(report[2]));
        m_special_functions = {report[3], report[4]};
        return true;
    case Report::gpio_set:
        if (report.size() < 3) {
            return false;
        }
        m_pins.set_latches(value_of(report[1]), value_of(report[2]));
        return true;
    case Report::smbus_config:
        if (report.size() < m_smbus_config.size()) {
            return false;
        }
        std::ranges::copy(report.first(m_smbus_config.size()), m_smbus_config.begin());
        return true;
    default:
        return false;
    }
}

std::vector<Bytes> Cp2112::output(BytesView report) {
    if (report.size() < 2) {
        return {};
    }
    switch (static_cast<Report>(report[0])) {
    case Report::data_read_request:
        if (report.size() >= 4) {
            read_from(report[1], load_be16(report, 2));
        }
        return {};
    case Report::data_write_read_request: {
        std::size_t const count = report.size() < 5 ? most_address_bytes + 1 : value_of(report[4]);
        if (count <= most_address_bytes && report.size() >= 5 + count) {
            write_then_read(report[1], report.subspan(5, count), load_be16(report, 2));
        }
        return {};
    }
    case Report::data_write_request: {
        std::size_t const count = report.size() < 3 ? most_data_a_report + 1 : value_of(report[2]);
        if (count <= most_data_a_report && report.size() >= 3 + count) {
            write_to(report[1], report.subspan(3, count));
        }
        return {};
    }
    case Report::data_read_force_send:
        if (report.size() < 3) {
            return {};
        }
        return {read_response(load_be16(report, 1))};
    case Report::transfer_status_request:
        return {status_response()};
    case Report::cancel_transfer:
        m_transfer = {};
        return {};
    default:
        return {};
    }
}

I2cDevice* Cp2112::device_at(std::byte address) {
    // The address is held in the upper seven bits.
    auto const found = m_bus.find(static_cast<std::uint8_t>(value_of(address) >> 1));
    if (found == m_bus.end()) {
        m_transfer = {.status = Status::error, .detail = not_acknowledged, .length = 0, .data = {}};
        return nullptr;
    }
    return found->second.get();
}

void Cp2112::write_to(std::byte address, BytesView bytes) {
    if (I2cDevice* const device = device_at(address)) {
        bool const taken = device->write(bytes);
        m_transfer = {.status = taken ? Status::complete : Status::error,
                      .detail = taken ? success : not_acknowledged,
                      .length = static_cast<std::uint16_t>(taken ? bytes.size() : 0),
                      .data = {}};
    }
}

void Cp2112::read_from(std::byte address, std::size_t size) {
    if (size < 1 || size > most_read_bytes) {
        m_transfer = {.status = Status::error, .detail = not_acknowledged, .length = 0, .data = {}};
        return;
    }
    if (I2cDevice* const device = device_at(address)) {
        m_transfer = {.status = Status::complete,
                      .detail = success,
                      .length = static_cast<std::uint16_t>(size),
                      .data = device->read(size)};
    }
}

void Cp2112::write_then_read(std::byte address, BytesView bytes, std::size_t size) {
    write_to(address, bytes);
    if (m_transfer.status == Status::complete) {
        read_from(address, size);
    }
}

Bytes Cp2112::status_response() const {
    Bytes bytes(report_size);
    bytes[0] = byte_of(Report::transfer_status_response);
    bytes[1] = static_cast<std::byte>(m_transfer.status);
    bytes[2] = static_cast<std::byte>(m_transfer.detail);
    // Bytes 3 and 4 are the retries: there were none.
    store_be16(bytes, 5, m_transfer.length);
    return bytes;
}

Bytes Cp2112::read_response(std::size_t size) {
    std::size_t const count = std::min({size, most_data_a_report, m_transfer.data.size()});
    Bytes bytes(report_size);
    bytes[0] = byte_of(Report::data_read_response);
    bytes[1] = static_cast<std::byte>(m_transfer.status);
    bytes[2] = static_cast<std::byte>(count);
    auto const end = m_transfer.data.begin() + static_cast<std::ptrdiff_t>(count);
    std::copy(m_transfer.data.begin(), end, bytes.begin() + 3);
    m_transfer.data.erase(m_transfer.data.begin(), end);
    return bytes;
}

Bytes Cp2112::report_descriptor() {
    enum class Kind : std::uint8_t { feature = 0xb1, output = 0x91, input = 0x81 };
    struct Entry {
        Report report;
        Kind kind;
        std::uint8_t size;
    };
    // Sizes are without the report's number.
    static constexpr std::array entries{
        Entry{Report::gpio_config, Kind::feature, 4},
        Entry{Report::gpio_get, Kind::feature, 1},
        Entry{Report::gpio_set, Kind::feature, 2},
        Entry{Report::version, Kind::feature, 2},
        Entry{Report::smbus_config, Kind::feature, 13},
        Entry{Report::data_read_request, Kind::output, 63},
        Entry{Report::data_write_read_request, Kind::output, 63},
        Entry{Report::data_read_force_send, Kind::output, 63},
        Entry{Report::data_read_response, Kind::input, 63},
        Entry{Report::data_write_request, Kind::output, 63},
        Entry{Report::transfer_status_request, Kind::output, 63},
        Entry{Report::transfer_status_response, Kind::input, 63},
        Entry{Report::cancel_transfer, Kind::output, 63},
        Entry{Report::lock_byte, Kind::feature, 1},
        Entry{Report::usb_config, Kind::feature, 9},
        Entry{Report::manufacturer_string, Kind::feature, 61},
        Entry{Report::product_string, Kind::feature, 61},
        Entry{Report::serial_string, Kind::feature, 61},
    };
    Bytes bytes;
    auto const append = [&](std::initializer_list<std::uint8_t> values) {
        std::ranges::transform(values, std::back_inserter(bytes),
                               [](std::uint8_t value) { return std::byte{value}; });
    };
    append({0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01}); // Vendor page, usage 1, application collection.
    for (Entry const& entry : entries) {
        append({0x85, std::to_underlying(entry.report), 0x09, 0x01}); // Report number, usage 1.
        append({0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08});           // 0 to 255, 8 bits each.
        append({0x95, entry.size, std::to_underlying(entry.kind), 0x02});
    }
    append({0xc0});
    return bytes;
}

} // namespace sinew::sim
