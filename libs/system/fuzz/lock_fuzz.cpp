/// Feeds the lock's reader with anything. What it accepts must be written and read again unchanged.
#include <sinew/base/bytes.hpp>
#include <sinew/system/lock.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const text = sinew::as_text(std::as_bytes(std::span(data, size)));
    auto const lock = sinew::system::parse_lock(text, "system.lock");
    if (lock) {
        auto const again = sinew::system::parse_lock(sinew::system::format_lock(*lock), "system.lock");
        if (!again || *again != *lock) {
            std::abort();
        }
    }
    return 0;
}
