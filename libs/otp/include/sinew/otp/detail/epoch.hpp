/// EpochGuard and RetireList: readers that never lock, and writers that free what no reader can still see.
///
/// Invariant: what was reachable when a guard was made stays valid while the guard lives. A writer first
/// makes an object unreachable (a sequentially consistent store), then retires it; it is freed once every
/// guard that is older has gone. Threading: guards belong to their thread and may nest; a RetireList belongs
/// to its writer (a lock of its own protects it).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sinew::detail {

/// One a thread that ever read; kept for the program's life and reused by later threads.
struct alignas(64) ReaderSlot {
    /// The epoch in which its outermost guard began; 0: no guard.
    std::atomic<std::uint64_t> epoch{0};
    std::atomic<bool> is_taken{true};
    unsigned depth = 0;
    ReaderSlot* next = nullptr;
};

inline constinit std::atomic<std::uint64_t> current_epoch{1};
inline constinit thread_local ReaderSlot* t_reader_slot = nullptr;
[[nodiscard]] ReaderSlot& register_reader();

class EpochGuard {
public:
    EpochGuard()
        : m_slot(t_reader_slot != nullptr ? *t_reader_slot : register_reader()) {
        if (m_slot.depth++ == 0) {
            m_slot.epoch.store(current_epoch.load(std::memory_order_seq_cst), std::memory_order_seq_cst);
        }
    }
    EpochGuard(EpochGuard const&) = delete;
    EpochGuard& operator=(EpochGuard const&) = delete;
    EpochGuard(EpochGuard&&) = delete;
    EpochGuard& operator=(EpochGuard&&) = delete;
    ~EpochGuard() {
        if (--m_slot.depth == 0) {
            m_slot.epoch.store(0, std::memory_order_release);
        }
    }

private:
    ReaderSlot& m_slot;
};

class RetireList {
public:
    using Destroy = void (*)(void*) noexcept;
    RetireList() = default;
    RetireList(RetireList const&) = delete;
    RetireList& operator=(RetireList const&) = delete;
    RetireList(RetireList&&) = delete;
    RetireList& operator=(RetireList&&) = delete;
    /// Frees the rest: no reader may be left.
    ~RetireList();
    /// The next `count` calls of retire() don't fail.
    void reserve(std::size_t count);
    /// Frees `object` when no reader can see it any more; nobody can reach it from now on.
    void retire(void* object, Destroy destroy);
    template<typename T>
    void retire(T const* object) {
        retire(const_cast<T*>(object), [](void* gone) noexcept { delete static_cast<T*>(gone); });
    }

private:
    struct Retired {
        void* object = nullptr;
        Destroy destroy = nullptr;
        std::uint64_t epoch = 0;
    };
    void collect();
    static constexpr std::size_t first_limit = 64;
    std::vector<Retired> m_retired;
    std::size_t m_limit = first_limit;
};

} // namespace sinew::detail
