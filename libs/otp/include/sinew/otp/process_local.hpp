/// Values that belong to one process and that no function needs to hand on: one per type.
///
///     struct RequestCount { int value = 0; };
///     ++sinew::process_local<RequestCount>().value;      // deep inside a library
///
/// Invariant: made at the first use in a process, destroyed with its state. Threading: in a process;
/// elsewhere std::logic_error is thrown.
#pragma once

#include <memory>

namespace sinew {
namespace detail {

/// Its address is the type's identity.
template<typename T>
inline constexpr char process_local_key = 0;

/// The current process's value for `key`, made by `make` when there is none.
[[nodiscard]] void* find_process_local(void const* key, std::shared_ptr<void> (*make)());

} // namespace detail

/// The current process's T; T() at first. The reference stays good until the process ends.
template<typename T>
[[nodiscard]] T& process_local() {
    return *static_cast<T*>(detail::find_process_local(
        &detail::process_local_key<T>, [] { return std::shared_ptr<void>(std::make_shared<T>()); }));
}

} // namespace sinew
