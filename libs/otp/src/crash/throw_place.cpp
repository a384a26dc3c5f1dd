#include "crash/throw_place.hpp"

#include <bits/cxxabi_init_exception.h>
#include <cxxabi.h>
#include <dlfcn.h>
#include <unwind.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <typeinfo>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SINEW_WATCHED_THROWS
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SINEW_WATCHED_THROWS
#endif

namespace sinew::crash {
namespace {

struct LastThrow {
    void const* object = nullptr;
    std::uintptr_t place = 0;
};
constinit thread_local LastThrow t_last_throw;

} // namespace

std::uintptr_t place_of_throw(std::exception_ptr const& exception) noexcept {
    // An exception_ptr is the address of the object that was thrown.
    static_assert(sizeof exception == sizeof(void*));
    void const* object = nullptr;
    std::memcpy(static_cast<void*>(&object), static_cast<void const*>(&exception), sizeof object);
    return object != nullptr && object == t_last_throw.object ? t_last_throw.place : 0;
}

} // namespace sinew::crash

#ifndef SINEW_WATCHED_THROWS

// Where the program's code begins and ends, as the linker says.
extern "C" char const __executable_start;
extern "C" char const etext;

namespace sinew::crash {
namespace {

bool is_programs_own(std::uintptr_t address) noexcept {
    return address >= reinterpret_cast<std::uintptr_t>(&__executable_start) &&
           address < reinterpret_cast<std::uintptr_t>(&etext);
}

struct Search {
    std::uintptr_t found = 0;
    int frames_left = 24;
    /// The innermost frames are the program's, too: those of the functions below.
    bool is_in_library = false;
};
_Unwind_Reason_Code look_for_program(_Unwind_Context* context, void* data) {
    Search& search = *static_cast<Search*>(data);
    auto const address = static_cast<std::uintptr_t>(_Unwind_GetIP(context));
    bool const is_own = is_programs_own(address);
    if (is_own && search.is_in_library) {
        search.found = address;
        return _URC_END_OF_STACK;
    }
    search.is_in_library = !is_own;
    return --search.frames_left > 0 && address != 0 ? _URC_NO_REASON : _URC_END_OF_STACK;
}

std::uintptr_t place_for(std::uintptr_t thrown_at) noexcept {
    if (is_programs_own(thrown_at)) {
        return thrown_at;
    }
    Search search;
    (void)_Unwind_Backtrace(&look_for_program, &search);
    return search.found != 0 ? search.found : thrown_at;
}

using Throw = void (*)(void*, std::type_info*, void (*)(void*));

} // namespace
} // namespace sinew::crash

// In front of the C++ library's own. A static one wins over this: it is weak, and the reference below brings that in.
// GCC declares it by itself with a void* for the type.
extern "C" [[gnu::weak]] void __cxa_throw(void* object, void* type, void (*destroy)(void*)) {
    using namespace sinew::crash;
    static auto const librarys_own = reinterpret_cast<Throw>(dlsym(RTLD_NEXT, "__cxa_throw"));
    [[maybe_unused]] static void const* const volatile brings_static_one_in =
        reinterpret_cast<void const*>(&__cxxabiv1::__cxa_init_primary_exception);
    // One byte back: within the call.
    auto const after_call = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
    t_last_throw = {.object = object, .place = place_for(after_call) - 1};
    librarys_own(object, static_cast<std::type_info*>(type), destroy);
    std::abort();
}

#endif
