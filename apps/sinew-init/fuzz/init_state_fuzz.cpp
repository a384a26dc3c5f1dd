/// The files PID 1 reads from /data, which anyone may have written, and the mount table.
#include "clock_floor.hpp"
#include "entropy.hpp"
#include "mbr.hpp"
#include "mounts.hpp"

#include <sinew/base/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sinew;
    auto const bytes = std::as_bytes(std::span(data, size));
    if (auto const seed = init::parse_seed(bytes);
        seed && !std::ranges::equal(init::format_seed(*seed), bytes)) {
        std::abort();
    }
    auto const text = as_text(bytes);
    if (auto const time = init::parse_saved_time(text); time && (*time < 0 || *time >= 4'102'444'800)) {
        std::abort();
    }
    (void)init::parse_disk_signature(bytes);
    (void)init::parse_signature_text(text);
    for (auto const& target : init::targets_to_unmount(text)) {
        if (target.empty() || target == "/") {
            std::abort();
        }
    }
    return 0;
}
