#include "scheduler/stack_text.hpp"

#include <cxxabi.h>
#include <dlfcn.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>

namespace sinew::detail {
namespace {

std::string frame_text(void* address) {
    Dl_info info{};
    if (dladdr(address, &info) == 0) {
        return "?";
    }
    if (info.dli_sname != nullptr) {
        int status = 0;
        std::unique_ptr<char, void (*)(void*)> const name(
            abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status), &std::free);
        return status == 0 ? name.get() : info.dli_sname;
    }
    // What addr2line understands.
    std::array<char, 32> offset{};
    (void)std::snprintf(offset.data(), offset.size(), "+0x%zx",
                        reinterpret_cast<std::size_t>(address) -
                            reinterpret_cast<std::size_t>(info.dli_fbase));
    return std::string(info.dli_fname) + offset.data();
}

} // namespace

std::string stack_text(std::span<void* const> stack) {
    std::string text;
    for (void* const address : stack) {
        text += "\n    " + frame_text(address);
    }
    return text;
}

} // namespace sinew::detail
