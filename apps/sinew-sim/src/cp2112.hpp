/// The CP2112's HID reports: bytes in, bytes out. What the Linux driver hid-cp2112 talks to.
///
/// The chip is a USB bridge to 8 GPIO pins and an I2C bus; every report starts with its number.
/// Source: Silicon Labs AN495 (reports and fields), drivers/hid/hid-cp2112.c (what the driver asks and
/// expects). Invariant: any bytes are accepted: a report that is too short or unknown is refused and changes
/// nothing. Threading: for one thread.
#pragma once

#include "i2c_devices.hpp"
#include "pins.hpp"

#include <sinew/base/bytes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace sinew::sim {

/// Report numbers.
enum class Report : std::uint8_t {
    gpio_config = 0x02,
    gpio_get = 0x03,
    gpio_set = 0x04,
    version = 0x05,
    smbus_config = 0x06,
    data_read_request = 0x10,
    data_write_read_request = 0x11,
    data_read_force_send = 0x12,
    data_read_response = 0x13,
    data_write_request = 0x14,
    transfer_status_request = 0x15,
    transfer_status_response = 0x16,
    cancel_transfer = 0x17,
    lock_byte = 0x20,
    usb_config = 0x21,
    manufacturer_string = 0x22,
    product_string = 0x23,
    serial_string = 0x24
};

class Cp2112 {
public:
    static constexpr std::uint16_t vendor_id = 0x10c4;
    static constexpr std::uint16_t product_id = 0xea90;
    /// Input and output reports have this many bytes, the number included.
    static constexpr std::size_t report_size = 64;

    /// `pins` is borrowed.
    Cp2112(Pins& pins, I2cBus bus);

    /// The feature report `number`, or nothing when the chip has none of that number.
    [[nodiscard]] std::optional<Bytes> get_feature(std::uint8_t number) const;
    /// False: unknown, or too short.
    [[nodiscard]] bool set_feature(BytesView report);
    /// Takes an output report and returns the input reports that answer it (none or one, of report_size
    /// bytes).
    [[nodiscard]] std::vector<Bytes> output(BytesView report);

    /// The HID report descriptor that a real chip's interface is equivalent to.
    [[nodiscard]] static Bytes report_descriptor();

private:
    enum class Status : std::uint8_t { idle = 0, busy = 1, complete = 2, error = 3 };
    struct Transfer {
        Status status = Status::idle;
        /// 0: the address was not acknowledged; 5: success.
        std::uint8_t detail = 0;
        std::uint16_t length = 0;
        /// What was read and has not been sent.
        Bytes data;
    };

    [[nodiscard]] I2cDevice* device_at(std::byte address);
    void write_to(std::byte address, BytesView bytes);
    void read_from(std::byte address, std::size_t size);
    void write_then_read(std::byte address, BytesView bytes, std::size_t size);
    [[nodiscard]] Bytes status_response() const;
    [[nodiscard]] Bytes read_response(std::size_t size);

    Pins& m_pins;
    I2cBus m_bus;
    std::array<std::byte, 2> m_special_functions{};
    std::array<std::byte, 14> m_smbus_config;
    Transfer m_transfer;
};

} // namespace sinew::sim
