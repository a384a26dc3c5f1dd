/// Published: a value that one thread writes and any thread may read.
///
/// Invariant: a plain load and a plain store, so it costs the writer nothing; it orders nothing, and two of
/// them read together may be of different moments. Threading: one writer at a time; any readers.
#pragma once

#include <atomic>
#include <type_traits>

namespace sinew::detail {

template<typename T>
class Published {
public:
    constexpr Published() noexcept = default;
    constexpr Published(T value) noexcept // NOLINT(google-explicit-constructor): it stands for a T
        : m_value(value) {}
    Published(Published const&) = delete;
    Published& operator=(Published const&) = delete;
    Published(Published&&) = delete;
    Published& operator=(Published&&) = delete;
    ~Published() = default;

    [[nodiscard]] T get() const noexcept { return m_value.load(std::memory_order_relaxed); }
    /// For other threads that read several: what is read after it is not older.
    [[nodiscard]] T get_first() const noexcept { return m_value.load(std::memory_order_acquire); }
    operator T() const noexcept { return get(); } // NOLINT(google-explicit-constructor): it stands for a T
    [[nodiscard]] T operator->() const noexcept
        requires std::is_pointer_v<T>
    {
        return get();
    }
    Published& operator=(T value) noexcept {
        m_value.store(value, std::memory_order_relaxed);
        return *this;
    }
    Published& operator+=(T value) noexcept { return *this = static_cast<T>(get() + value); }
    Published& operator-=(T value) noexcept { return *this = static_cast<T>(get() - value); }
    Published& operator|=(T value) noexcept { return *this = get() | value; }
    Published& operator&=(T value) noexcept { return *this = get() & value; }

private:
    std::atomic<T> m_value{};
};

} // namespace sinew::detail
