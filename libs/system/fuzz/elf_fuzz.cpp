/// Feeds the ELF reader with anything: as a program, and as a kernel module.
#include "elf_file.hpp"
#include "module_order.hpp"

#include <sinew/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const bytes = std::as_bytes(std::span(data, size));
    if (auto const elf = sinew::system::parse_elf(bytes)) {
        (void)sinew::system::machine_name(elf->machine);
    }
    if (auto const notes = sinew::system::parse_module_notes(bytes)) {
        for (auto const& [name, value] : *notes) {
            (void)sinew::system::split_depends(value);
        }
    }
    return 0;
}
