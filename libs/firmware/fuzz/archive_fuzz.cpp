/// Any bytes as an archive: read its metadata, verify it, whole and as far as it is good, and apply its first
/// task to a disk in memory.
#include "nothing_mounted.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

using namespace sinew;
using namespace sinew::firmware;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const bytes = std::as_bytes(std::span(data, size));
    MemoryInput for_metadata(bytes);
    auto const metadata = read_metadata(for_metadata);
    MemoryInput for_verification(bytes);
    bool const is_whole = verify_archive(for_verification).has_value();
    MemoryInput for_parts(bytes);
    auto const part = verify_partial(for_parts);
    if (part && (part->is_complete != is_whole || part->good_bytes > size)) {
        std::abort();
    }
    if (metadata) {
        NothingMounted const system;
        constexpr std::uint64_t disk_bytes = 4u << 20;
        MemoryDevice disk(Growth::fixed, disk_bytes);
        MemoryInput input(bytes);
        ApplyOptions options;
        options.running_system = &system;
        options.reboot_param_path = "/dev/null/not-written";
        (void)apply_archive(input, disk, options);
    }
    return 0;
}
