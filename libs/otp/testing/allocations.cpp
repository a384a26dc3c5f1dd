// The operator new of test programs: counts what lives, and fails when a simulation asks for it.
#include "simulation/allocation_faults.hpp"

#include <sinew/otp/allocations.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace sinew::testing {
namespace {

constinit std::atomic<std::int64_t> live{0};
constinit thread_local std::size_t countdown = 0;

void arm(std::size_t allocations) noexcept {
    countdown = allocations;
}
bool const is_installed = [] {
    detail::arm_allocation_failure = &arm;
    return true;
}();

bool fails_now() noexcept {
    if (countdown == 0) {
        return false;
    }
    --countdown;
    return countdown == 0;
}

void* allocate_or_null(std::size_t size, std::size_t alignment) noexcept {
    if (fails_now()) {
        return nullptr;
    }
    void* const memory = alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
                             ? std::malloc(size == 0 ? 1 : size)
                             : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    live.fetch_add(memory != nullptr ? 1 : 0, std::memory_order_relaxed);
    return memory;
}

void* allocate(std::size_t size, std::size_t alignment) {
    void* const memory = allocate_or_null(size, alignment);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

void release(void* memory) noexcept {
    if (memory != nullptr) {
        live.fetch_sub(1, std::memory_order_relaxed);
        std::free(memory);
    }
}

} // namespace

std::int64_t live_allocations() noexcept {
    return is_installed ? live.load(std::memory_order_relaxed) : 0;
}

} // namespace sinew::testing

// All of them: a sanitizer's own forms and these must not meet on one piece of memory.
void* operator new(std::size_t size) {
    return sinew::testing::allocate(size, 0);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return sinew::testing::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, std::nothrow_t const& /*tag*/) noexcept {
    return sinew::testing::allocate_or_null(size, 0);
}
void* operator new(std::size_t size, std::align_val_t alignment, std::nothrow_t const& /*tag*/) noexcept {
    return sinew::testing::allocate_or_null(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    sinew::testing::release(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    sinew::testing::release(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
    sinew::testing::release(memory);
}
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
    sinew::testing::release(memory);
}
void operator delete(void* memory, std::nothrow_t const& /*tag*/) noexcept {
    sinew::testing::release(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/, std::nothrow_t const& /*tag*/) noexcept {
    sinew::testing::release(memory);
}
void* operator new[](std::size_t size) {
    return sinew::testing::allocate(size, 0);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return sinew::testing::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::nothrow_t const& /*tag*/) noexcept {
    return sinew::testing::allocate_or_null(size, 0);
}
void* operator new[](std::size_t size, std::align_val_t alignment, std::nothrow_t const& /*tag*/) noexcept {
    return sinew::testing::allocate_or_null(size, static_cast<std::size_t>(alignment));
}
void operator delete[](void* memory) noexcept {
    sinew::testing::release(memory);
}
void operator delete[](void* memory, std::size_t /*size*/) noexcept {
    sinew::testing::release(memory);
}
void operator delete[](void* memory, std::align_val_t /*alignment*/) noexcept {
    sinew::testing::release(memory);
}
void operator delete[](void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
    sinew::testing::release(memory);
}
void operator delete[](void* memory, std::nothrow_t const& /*tag*/) noexcept {
    sinew::testing::release(memory);
}
void operator delete[](void* memory, std::align_val_t /*alignment*/, std::nothrow_t const& /*tag*/) noexcept {
    sinew::testing::release(memory);
}
