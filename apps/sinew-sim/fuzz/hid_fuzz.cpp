// The chip's reports: any events from the uhid device, one after the other.
#include "cp2112.hpp"
#include "i2c_devices.hpp"
#include "pins.hpp"
#include "uhid.hpp"

#include <sinew/base/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sinew;
    using namespace sinew::sim;
    Pins pins;
    Cp2112 chip(pins, {{0x48, std::make_shared<Tmp102>()}, {0x50, std::make_shared<Eeprom>()}});
    auto bytes = std::as_bytes(std::span(data, size));
    (void)decode_uhid_event(bytes);
    // A byte for what is done, a byte for the length, the report.
    while (bytes.size() >= 2) {
        auto const action = std::to_integer<unsigned>(bytes[0]) % 3;
        auto const report =
            bytes.subspan(2, std::min(std::to_integer<std::size_t>(bytes[1]), bytes.size() - 2));
        bytes = bytes.subspan(2 + report.size());
        if (action == 0) {
            (void)chip.set_feature(report);
        } else if (action == 1 && !report.empty()) {
            (void)chip.get_feature(std::to_integer<std::uint8_t>(report[0]));
        }
        for (Bytes const& answer : action == 2 ? chip.output(report) : std::vector<Bytes>()) {
            if (answer.size() != Cp2112::report_size) {
                __builtin_trap();
            }
        }
    }
    return 0;
}
