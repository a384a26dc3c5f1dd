/// Line: text in the making, for signal handlers.
///
/// Invariant: never allocates; what doesn't fit is left out. Threading: its owner's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sinew::crash {

class Line {
public:
    Line& add(std::string_view text) noexcept;
    Line& add_number(std::uint64_t number) noexcept;
    /// "0x1f"
    Line& add_hexadecimal(std::uint64_t number) noexcept;
    /// A type as std::type_info::name() has it: readable where it is a plain name, in namespaces or not.
    Line& add_type(std::string_view mangled) noexcept;
    [[nodiscard]] std::string_view text() const noexcept { return {m_text.data(), m_length}; }
    void clear() noexcept { m_length = 0; }

private:
    void add_digits(std::uint64_t number, unsigned base) noexcept;
    std::array<char, 480> m_text{};
    std::size_t m_length = 0;
};

} // namespace sinew::crash
