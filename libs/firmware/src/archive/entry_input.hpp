/// The content of an archive's current entry as a stream whose first bytes can be looked at before.
///
/// Threading: belongs to one thread.
#pragma once

#include "archive/zip_reader.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace sinew::firmware {

/// What the content of an entry is, as its first bytes say.
enum class PatchForm : std::uint8_t { none, vcdiff, segments };

class EntryInput final : public InputStream {
public:
    /// Borrows `archive`, which has just begun the entry.
    explicit EntryInput(ZipReader& archive)
        : m_archive(archive) {}
    [[nodiscard]] Result<std::size_t> read(MutableBytesView into) override;
    /// Looks at the first bytes; only before the first read().
    [[nodiscard]] Result<PatchForm> patch_form();

private:
    static constexpr std::size_t looked_at = 8;

    ZipReader& m_archive;
    std::array<std::byte, looked_at> m_first{};
    std::size_t m_first_begin = 0;
    std::size_t m_first_end = 0;
};

} // namespace sinew::firmware
