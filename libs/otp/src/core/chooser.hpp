/// Chooser: decides which runnable process of a simulated worker goes on.
///
/// Threading: the simulation's thread.
#pragma once

#include <cstddef>

namespace sinew::detail {

class Chooser {
public:
    Chooser() = default;
    Chooser(Chooser const&) = delete;
    Chooser& operator=(Chooser const&) = delete;
    Chooser(Chooser&&) = delete;
    Chooser& operator=(Chooser&&) = delete;
    virtual ~Chooser() = default;
    /// One of `count`, which is at least 2.
    [[nodiscard]] virtual std::size_t choose(std::size_t count) = 0;
};

} // namespace sinew::detail
