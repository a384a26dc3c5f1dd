#include "crash/alternate_stack.hpp"

#include <sys/mman.h>

#include <atomic>
#include <csignal>
#include <cstddef>

namespace sinew::crash {
namespace {

/// The lowest page is kept from use: a handler that needs more fails instead of writing elsewhere.
constexpr std::size_t guard_bytes = 65'536; // The largest page size there is.
constexpr std::size_t stack_bytes = 131'072;

constinit std::atomic<bool> s_is_enabled{false};

} // namespace

void AlternateStack::enable() noexcept {
    s_is_enabled.store(true, std::memory_order_relaxed);
}

AlternateStack::AlternateStack() noexcept {
    stack_t present{};
    if (!s_is_enabled.load(std::memory_order_relaxed) || sigaltstack(nullptr, &present) != 0 ||
        (present.ss_flags & SS_DISABLE) == 0) {
        return;
    }
    void* const memory = mmap(nullptr, guard_bytes + stack_bytes, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) {
        return;
    }
    stack_t fresh{};
    fresh.ss_sp = static_cast<std::byte*>(memory) + guard_bytes;
    fresh.ss_size = stack_bytes;
    if (mprotect(fresh.ss_sp, stack_bytes, PROT_READ | PROT_WRITE) != 0 ||
        sigaltstack(&fresh, nullptr) != 0) {
        (void)munmap(memory, guard_bytes + stack_bytes);
        return;
    }
    m_memory = memory;
}

AlternateStack::~AlternateStack() {
    if (m_memory != nullptr) {
        stack_t none{};
        none.ss_flags = SS_DISABLE;
        (void)sigaltstack(&none, nullptr);
        (void)munmap(m_memory, guard_bytes + stack_bytes);
    }
}

} // namespace sinew::crash
