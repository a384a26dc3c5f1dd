/// The devices on the simulated chip's I2C bus, and the bus.
///
/// Threading: for one thread.
#pragma once

#include <sinew/base/bytes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

namespace sinew::sim {

class I2cDevice {
public:
    virtual ~I2cDevice() = default;
    /// The bytes after the address of a write; false: the device answers with NAK.
    [[nodiscard]] virtual bool write(BytesView bytes) = 0;
    /// What the device sends when `size` bytes are read.
    [[nodiscard]] virtual Bytes read(std::size_t size) = 0;
};

/// A 24C02: 256 bytes, and a pointer that the first byte of a write sets and that each byte moves on, round
/// the end. There are no page limits and no write time.
class Eeprom final : public I2cDevice {
public:
    [[nodiscard]] bool write(BytesView bytes) override;
    [[nodiscard]] Bytes read(std::size_t size) override;

private:
    std::array<std::byte, 256> m_memory{};
    std::uint8_t m_pointer = 0;
};

/// A TMP102 temperature sensor: register 0 is the temperature in steps of 0.0625 °C, 1 the configuration, 2
/// and 3 the alert limits.
class Tmp102 final : public I2cDevice {
public:
    static constexpr double lowest_celsius = -55.0;
    static constexpr double highest_celsius = 127.9375;

    [[nodiscard]] bool write(BytesView bytes) override;
    [[nodiscard]] Bytes read(std::size_t size) override;

    /// Between lowest_celsius and highest_celsius; rounded to the sensor's step.
    void set_celsius(double celsius) noexcept;
    [[nodiscard]] double celsius() const noexcept;

private:
    /// As the datasheet's reset values; the temperature starts at 25 °C.
    std::array<std::uint16_t, 4> m_registers{0x1900, 0x60a0, 0x4b00, 0x5000};
    std::size_t m_pointer = 0;
};

/// Devices by 7-bit address.
using I2cBus = std::map<std::uint8_t, std::shared_ptr<I2cDevice>>;

} // namespace sinew::sim
