/// Any kernel command line: its values stay in their bounds, module parameters are parts of it.
#include "hostname.hpp"
#include "kernel_command_line.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sinew::init;
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const parsed = parse_kernel_command_line(text);
    bool const has_good_slot = parsed.slot.empty() || parsed.slot == "a" || parsed.slot == "b";
    auto const half = text.substr(0, size / 2);
    auto const label = format_hostname(half, parsed.serial_number);
    bool const has_good_label =
        !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-';
    if (!has_good_slot || !has_good_label || parsed.serial_number.size() > 64 ||
        module_parameters(text, "ramoops").size() > text.size()) {
        std::abort();
    }
    return 0;
}
