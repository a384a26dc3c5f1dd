/// Decodes a VCDIFF patch (RFC 3284, with the Adler-32 extension) as `xdelta3 -S none` makes it.
///
/// Memory is bounded by one window of the target and its instructions, whatever the patch says; copies read
/// the source directly. Secondary compression, tables of codes, and windows that copy from earlier output are
/// refused. Invariant: a window is passed on only after its Adler-32, if it has one, agreed.
/// Threading: belongs to one thread.
#pragma once

#include "delta/source.hpp"
#include "delta/vcdiff_code.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace sinew::firmware {

class VcdiffDecoder final : public InputStream {
public:
    /// The largest target window; xdelta3 makes 8 MiB unless told otherwise.
    static constexpr std::uint64_t largest_window = 16u << 20;

    /// Borrows both.
    VcdiffDecoder(InputStream& patch, DeltaSource& source)
        : m_patch(patch)
        , m_source(source) {}
    /// The patched bytes; 0 at the end of the patch. Errors: corrupt: the patch is damaged, or is for
    /// something else; unsupported.
    [[nodiscard]] Result<std::size_t> read(MutableBytesView into) override;
    /// How many bytes a patch makes: reads it to its end as if applied, except that nothing is known of what
    /// it is for. Errors: what read() would say of any source.
    [[nodiscard]] static Result<std::uint64_t> measure(InputStream& patch);

private:
    /// A section of the window in memory, read from its beginning on.
    class Section {
    public:
        void assign(BytesView bytes) { m_rest = bytes; }
        [[nodiscard]] bool is_empty() const { return m_rest.empty(); }
        [[nodiscard]] Result<std::uint8_t> byte();
        [[nodiscard]] Result<std::uint64_t> number();
        [[nodiscard]] Result<BytesView> take(std::uint64_t count);

    private:
        BytesView m_rest;
    };
    struct Window {
        std::uint64_t source_offset = 0;
        std::uint64_t source_length = 0;
        std::size_t target_length = 0;
        std::optional<std::uint32_t> adler32;
    };

    /// The next byte of the patch; nothing at its end.
    [[nodiscard]] Result<std::optional<std::uint8_t>> next_byte();
    [[nodiscard]] Result<std::uint8_t> byte();
    [[nodiscard]] Result<std::uint64_t> number();
    [[nodiscard]] Result<> read_header();
    /// False at the end of the patch.
    [[nodiscard]] Result<bool> read_window();
    [[nodiscard]] Result<> read_sections(Window& window, std::uint8_t indicator);
    [[nodiscard]] Result<> run_instructions(Window const& window);
    [[nodiscard]] Result<> run(vcdiff::Instruction const& instruction, Window const& window);
    [[nodiscard]] Result<std::uint64_t> read_address(std::uint8_t mode, std::uint64_t here);
    [[nodiscard]] Result<> copy(Window const& window, std::uint64_t address, std::size_t size);

    InputStream& m_patch;
    DeltaSource& m_source;
    Bytes m_input;
    std::size_t m_input_begin = 0;
    std::size_t m_input_end = 0;
    bool m_has_header = false;
    bool m_checks_sums = true;

    Bytes m_section_bytes;
    Section m_data;
    Section m_instructions;
    Section m_addresses;
    vcdiff::AddressCache m_cache;
    Bytes m_target;
    /// How much of the window is decoded, and how much of it was passed on.
    std::size_t m_decoded = 0;
    std::size_t m_passed_on = 0;
};

} // namespace sinew::firmware
