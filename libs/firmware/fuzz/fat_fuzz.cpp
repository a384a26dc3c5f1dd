/// Any bytes as a FAT volume: mount it and do everything to it.
#include "fat/volume.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/io.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace {

using namespace sinew;
using namespace sinew::firmware;

void read_all(FatVolume& volume, char const* path) {
    auto file = volume.open_file(path);
    std::array<std::byte, 512> buffer{};
    for (int i = 0; file && i < 1000; ++i) {
        auto const count = file->read(buffer);
        if (!count || *count == 0) {
            return;
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    constexpr std::uint64_t disk_bytes = 1u << 20;
    if (size > disk_bytes) {
        return 0;
    }
    MemoryDevice disk(Growth::fixed, disk_bytes);
    (void)disk.write_at(0, std::as_bytes(std::span(data, size)));
    auto volume = FatVolume::mount(disk, 0);
    if (!volume) {
        return 0;
    }
    read_all(*volume, "VMLINUZ");
    read_all(*volume, "dir/a long name");
    (void)volume->make_directory("dir");
    (void)volume->touch("dir/a long name");
    if (auto file = volume->create_file("VMLINUZ")) {
        Bytes const content(3000);
        if (file->write(content)) {
            (void)file->finish();
        }
    }
    (void)volume->copy_from(*volume, "VMLINUZ", "dir/copy");
    (void)volume->rename("dir/copy", "dir/a long name", Existing::replaced);
    (void)volume->set_label("LABEL");
    (void)volume->remove("VMLINUZ", Missing::accepted);
    (void)volume->remove("dir", Missing::accepted);
    return 0;
}
