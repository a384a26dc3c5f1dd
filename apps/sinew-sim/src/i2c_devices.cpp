// See i2c_devices.hpp.
#include "i2c_devices.hpp"

#include <sinew/base/bytes.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace sinew::sim {

bool Eeprom::write(BytesView bytes) {
    if (bytes.empty()) {
        return true;
    }
    m_pointer = std::to_integer<std::uint8_t>(bytes.front());
    for (std::byte const value : bytes.subspan(1)) {
        m_memory.at(m_pointer++) = value;
    }
    return true;
}

Bytes Eeprom::read(std::size_t size) {
    Bytes bytes(size);
    for (std::byte& value : bytes) {
        value = m_memory.at(m_pointer++);
    }
    return bytes;
}

bool Tmp102::write(BytesView bytes) {
    if (bytes.empty()) {
        return true;
    }
    m_pointer = std::to_integer<std::size_t>(bytes[0]) & 3U;
    bool const is_read_only = m_pointer == 0;
    if (bytes.size() >= 3 && !is_read_only) {
        m_registers.at(m_pointer) = static_cast<std::uint16_t>((std::to_integer<unsigned>(bytes[1]) << 8) |
                                                               std::to_integer<unsigned>(bytes[2]));
    }
    return true;
}

Bytes Tmp102::read(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
        unsigned const value = m_registers.at(m_pointer);
        bytes[i] = static_cast<std::byte>(i % 2 == 0 ? value >> 8 : value & 0xffU);
    }
    return bytes;
}

void Tmp102::set_celsius(double celsius) noexcept {
    double const steps = std::round(std::clamp(celsius, lowest_celsius, highest_celsius) / 0.0625);
    m_registers[0] = static_cast<std::uint16_t>(static_cast<unsigned>(static_cast<int>(steps)) << 4);
}

double Tmp102::celsius() const noexcept {
    int const steps =
        static_cast<std::int16_t>(m_registers[0]) / 16; // The lowest four bits are no temperature.
    return steps * 0.0625;
}

} // namespace sinew::sim
