#include "delta/vcdiff_decoder.hpp"

#include "delta/source.hpp"
#include "delta/vcdiff_code.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace sinew::firmware {

namespace {

constexpr std::size_t input_bytes = 64u << 10;
constexpr std::uint64_t largest_application_text = 64u << 10;

std::unexpected<Error> damaged(std::string const& what) {
    return failure(ErrorCode::corrupt, "the VCDIFF patch is damaged: " + what + "; get the file again");
}

std::unexpected<Error> unsupported(std::string const& what) {
    return failure(ErrorCode::unsupported,
                   "the VCDIFF patch " + what + "; make it with `xdelta3 -S none` or `sinew fw delta`");
}

/// Reads a number of RFC 3284, section 2: seven bits a byte, the most significant first.
template<typename NextByte>
Result<std::uint64_t> read_number(NextByte next) {
    std::uint64_t value = 0;
    while (true) {
        TRY(auto const byte, next());
        if (value > std::numeric_limits<std::uint64_t>::max() >> 7u) {
            return damaged("a number is too large");
        }
        value = value << 7u | (byte & 0x7Fu);
        if ((byte & 0x80u) == 0) {
            return value;
        }
    }
}

} // namespace

Result<std::uint8_t> VcdiffDecoder::Section::byte() {
    if (m_rest.empty()) {
        return damaged("a section of a window ends too early");
    }
    auto const value = std::to_integer<std::uint8_t>(m_rest.front());
    m_rest = m_rest.subspan(1);
    return value;
}

Result<std::uint64_t> VcdiffDecoder::Section::number() {
    return read_number([this] { return byte(); });
}

Result<BytesView> VcdiffDecoder::Section::take(std::uint64_t count) {
    if (count > m_rest.size()) {
        return damaged("a window has fewer bytes than its instructions add");
    }
    auto const bytes = m_rest.first(static_cast<std::size_t>(count));
    m_rest = m_rest.subspan(bytes.size());
    return bytes;
}

Result<std::optional<std::uint8_t>> VcdiffDecoder::next_byte() {
    if (m_input_begin == m_input_end) {
        m_input.resize(input_bytes);
        m_input_begin = 0;
        TRY(m_input_end, m_patch.read(m_input));
        if (m_input_end == 0) {
            return std::nullopt;
        }
    }
    return std::to_integer<std::uint8_t>(m_input[m_input_begin++]);
}

Result<std::uint8_t> VcdiffDecoder::byte() {
    TRY(auto const value, next_byte());
    if (!value) {
        return damaged("it ends in the middle");
    }
    return *value;
}

Result<std::uint64_t> VcdiffDecoder::number() {
    return read_number([this] { return byte(); });
}

Result<> VcdiffDecoder::read_header() {
    for (auto const expected : vcdiff::magic) {
        TRY(auto const value, byte());
        if (value != expected) {
            return damaged("it doesn't begin as one");
        }
    }
    TRY(auto const indicator, byte());
    if ((indicator & vcdiff::header_secondary) != 0) {
        TRY_OK(byte()); // a window may still do without; each says whether it uses it
    }
    if ((indicator & vcdiff::header_code_table) != 0) {
        return unsupported("brings its own table of codes, which isn't supported");
    }
    if ((indicator & vcdiff::header_application) != 0) {
        TRY(auto const length, number());
        if (length > largest_application_text) {
            return damaged("the text in its header is too long");
        }
        for (std::uint64_t i = 0; i < length; ++i) {
            TRY_OK(byte());
        }
    }
    if (indicator >= vcdiff::header_application << 1u) {
        return unsupported("uses an unknown extension");
    }
    m_has_header = true;
    return {};
}

Result<std::size_t> VcdiffDecoder::read(MutableBytesView into) {
    if (!m_has_header) {
        TRY_OK(read_header());
    }
    while (m_passed_on == m_decoded) {
        TRY(bool const has_window, read_window());
        if (!has_window) {
            return std::size_t{0};
        }
    }
    auto const count = std::min(into.size(), m_decoded - m_passed_on);
    std::copy_n(m_target.begin() + static_cast<std::ptrdiff_t>(m_passed_on), count, into.begin());
    m_passed_on += count;
    return count;
}

Result<std::uint64_t> VcdiffDecoder::measure(InputStream& patch) {
    UnknownSource source;
    VcdiffDecoder decoder(patch, source);
    decoder.m_checks_sums = false;
    Bytes buffer(input_bytes);
    std::uint64_t total = 0;
    while (true) {
        TRY(auto const count, decoder.read(buffer));
        if (count == 0) {
            return total;
        }
        total += count;
    }
}

Result<bool> VcdiffDecoder::read_window() {
    TRY(auto const indicator, next_byte());
    if (!indicator) {
        return false;
    }
    Window window;
    if ((*indicator & vcdiff::window_target) != 0) {
        return unsupported("copies from its earlier output, which isn't supported");
    }
    if ((*indicator & ~unsigned{vcdiff::window_source | vcdiff::window_adler32}) != 0) {
        return unsupported("uses an unknown extension");
    }
    if ((*indicator & vcdiff::window_source) != 0) {
        TRY(window.source_length, number());
        TRY(window.source_offset, number());
        auto const size = m_source.size_bytes();
        if (window.source_offset > size || window.source_length > size - window.source_offset) {
            return failure(ErrorCode::corrupt,
                           "the VCDIFF patch needs bytes " + std::to_string(window.source_offset) + " to " +
                               std::to_string(window.source_offset + window.source_length) +
                               " of what it is applied to, which has " + std::to_string(size) +
                               "; it was made from something else");
        }
    }
    TRY_OK(read_sections(window, *indicator));
    TRY_OK(run_instructions(window));
    if (window.adler32 && m_checks_sums) {
        auto const sum = adler32_z(adler32_z(0, nullptr, 0),
                                   reinterpret_cast<unsigned char const*>(m_target.data()), m_decoded);
        if (sum != *window.adler32) {
            return failure(
                ErrorCode::corrupt,
                "a window of the VCDIFF patch came out wrong: the patch is damaged, or it was made "
                "from something else than what is on the device");
        }
    }
    return true;
}

Result<> VcdiffDecoder::read_sections(Window& window, std::uint8_t indicator) {
    TRY_OK(number()); // length of the rest, which follows from what comes
    TRY(auto const target_length, number());
    if (target_length > largest_window) {
        return unsupported("has a window of " + std::to_string(target_length) + " bytes; " +
                           std::to_string(largest_window) + " are supported");
    }
    window.target_length = static_cast<std::size_t>(target_length);
    TRY(auto const compression, byte());
    if (compression != 0) {
        return unsupported("is compressed once more inside, which isn't supported");
    }
    TRY(auto const data_length, number());
    TRY(auto const instructions_length, number());
    TRY(auto const addresses_length, number());
    // No sensible window has more instructions than bytes: one instruction makes at least one byte of target,
    // from at most ten bytes of code, size and address.
    if (data_length > target_length || instructions_length > 10 * target_length + 16 ||
        addresses_length > 10 * target_length + 16) {
        return damaged("the sizes of a window make no sense");
    }
    if ((indicator & vcdiff::window_adler32) != 0) {
        std::uint32_t sum = 0;
        for (int i = 0; i < 4; ++i) {
            TRY(auto const value, byte());
            sum = sum << 8u | value;
        }
        window.adler32 = sum;
    }
    auto const total = static_cast<std::size_t>(data_length + instructions_length + addresses_length);
    if (total > largest_window) {
        return unsupported("has a window with more instructions than is supported");
    }
    m_section_bytes.clear();
    while (m_section_bytes.size() < total) { // grows with what really comes, not with what was announced
        TRY(auto const first, byte());
        m_section_bytes.push_back(static_cast<std::byte>(first));
        auto const count = std::min(total - m_section_bytes.size(), m_input_end - m_input_begin);
        auto const rest = BytesView(m_input).subspan(m_input_begin, count);
        m_section_bytes.insert(m_section_bytes.end(), rest.begin(), rest.end());
        m_input_begin += count;
    }
    BytesView const bytes(m_section_bytes);
    m_data.assign(bytes.first(static_cast<std::size_t>(data_length)));
    m_instructions.assign(
        bytes.subspan(static_cast<std::size_t>(data_length), static_cast<std::size_t>(instructions_length)));
    m_addresses.assign(bytes.last(static_cast<std::size_t>(addresses_length)));
    return {};
}

Result<> VcdiffDecoder::run_instructions(Window const& window) {
    m_target.resize(std::max(m_target.size(), window.target_length));
    m_decoded = 0;
    m_passed_on = 0;
    m_cache = {};
    while (!m_instructions.is_empty()) {
        TRY(auto const code, m_instructions.byte());
        TRY_OK(run(vcdiff::default_table[code].first, window));
        TRY_OK(run(vcdiff::default_table[code].second, window));
    }
    if (m_decoded != window.target_length || !m_data.is_empty() || !m_addresses.is_empty()) {
        return damaged("a window isn't as long as it says");
    }
    return {};
}

Result<> VcdiffDecoder::run(vcdiff::Instruction const& instruction, Window const& window) {
    if (instruction.kind == vcdiff::Kind::none) {
        return {};
    }
    std::uint64_t size = instruction.size;
    if (size == 0) {
        TRY(size, m_instructions.number());
    }
    if (size > window.target_length - m_decoded) {
        return damaged("an instruction goes beyond its window");
    }
    auto const target = MutableBytesView(m_target).subspan(m_decoded, static_cast<std::size_t>(size));
    switch (instruction.kind) {
    case vcdiff::Kind::add: {
        TRY(auto const bytes, m_data.take(size));
        std::ranges::copy(bytes, target.begin());
        break;
    }
    case vcdiff::Kind::run: {
        TRY(auto const value, m_data.byte());
        std::ranges::fill(target, std::byte{value});
        break;
    }
    case vcdiff::Kind::copy: {
        TRY(auto const address, read_address(instruction.mode, window.source_length + m_decoded));
        TRY_OK(copy(window, address, target.size()));
        break;
    }
    case vcdiff::Kind::none:
        break;
    }
    m_decoded += target.size();
    return {};
}

Result<std::uint64_t> VcdiffDecoder::read_address(std::uint8_t mode, std::uint64_t here) {
    std::uint64_t address = 0;
    constexpr std::uint8_t first_same = 2 + vcdiff::near_slots;
    if (mode >= first_same) {
        TRY(auto const low, m_addresses.byte());
        address = m_cache.same((mode - first_same) * std::size_t{256} + low);
    } else {
        TRY(auto const value, m_addresses.number());
        if (mode == vcdiff::mode_here) {
            address = here - value; // a value that is too large wraps around and is found below
        } else {
            address = value + (mode == vcdiff::mode_self ? 0 : m_cache.near(mode - 2u));
        }
    }
    if (address >= here) {
        return damaged("a copy comes from behind what is there");
    }
    m_cache.update(address);
    return address;
}

Result<> VcdiffDecoder::copy(Window const& window, std::uint64_t address, std::size_t size) {
    auto target = MutableBytesView(m_target).subspan(m_decoded, size);
    if (address < window.source_length) {
        auto const count =
            static_cast<std::size_t>(std::min<std::uint64_t>(size, window.source_length - address));
        TRY_OK(m_source.read_at(window.source_offset + address, target.first(count)));
        target = target.subspan(count);
        address += count;
    }
    if (target.empty()) {
        return {};
    }
    auto from = m_target.begin() + static_cast<std::ptrdiff_t>(address - window.source_length);
    for (auto& byte : target) { // one by one: the range may overlap its own result
        byte = *from++;
    }
    return {};
}

} // namespace sinew::firmware
