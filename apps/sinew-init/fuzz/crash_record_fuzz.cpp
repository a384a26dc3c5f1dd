/// Any record of the crash store: messages stay short and printable, an end record reads back as it is
/// written.
#include "boot_reason.hpp"

#include <sinew/device/boot_report.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sinew;
    init::CrashStore store;
    init::parse_crash_record({reinterpret_cast<char const*>(data), size}, store);
    if (store.panic && store.panic->size() > 200) {
        std::abort();
    }
    if (store.end && device::find_end_record(device::format_end_record(*store.end)) != store.end) {
        std::abort();
    }
    return 0;
}
