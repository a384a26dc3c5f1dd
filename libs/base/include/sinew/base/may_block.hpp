/// Threads that must not block, because they serve many: a scheduler's. What may wait for a disk, a program, a
/// thread or a machine calls assert_may_block(); on such a thread that ends the program, in builds without
/// optimisation (the presets dev and tsan, `sinew run` and `sinew test`). In others all of this is nothing.
///
/// Threading: each thread has its own mark, at first none.
#pragma once

#if !defined(NDEBUG) && !defined(__OPTIMIZE__)
#define SINEW_CHECKS_BLOCKING 1
#else
#define SINEW_CHECKS_BLOCKING 0
#endif

namespace sinew {
namespace detail {

/// Whom this thread serves; null: it may block. Sets it, and returns what it was.
char const* exchange_served(char const* who) noexcept;
/// Ends the program if this thread serves somebody.
void end_if_serving(char const* what) noexcept;

} // namespace detail

/// Ends the program if this thread must not block. `what` says what is about to: "fsync".
inline void assert_may_block([[maybe_unused]] char const* what) noexcept {
#if SINEW_CHECKS_BLOCKING
    detail::end_if_serving(what);
#endif
}

/// While it exists, this thread must not block.
class MustNotBlock {
public:
    /// Whom it serves, a literal: "a scheduler thread".
    explicit MustNotBlock(char const* who) noexcept { exchange(who); }
    MustNotBlock(MustNotBlock const&) = delete;
    MustNotBlock& operator=(MustNotBlock const&) = delete;
    MustNotBlock(MustNotBlock&&) = delete;
    MustNotBlock& operator=(MustNotBlock&&) = delete;
    ~MustNotBlock() { exchange(m_before); }

private:
    void exchange([[maybe_unused]] char const* who) noexcept {
#if SINEW_CHECKS_BLOCKING
        m_before = detail::exchange_served(who);
#endif
    }
    char const* m_before = nullptr;
};

/// While it exists, this thread may block although it serves others: where that is bounded, rare, and there is
/// no other way.
class AllowBlocking {
public:
    /// For the reader.
    explicit AllowBlocking(char const* /*why*/) noexcept {}

private:
    MustNotBlock m_nobody{nullptr};
};

} // namespace sinew
