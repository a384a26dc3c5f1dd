/// A source that lies encrypted on the disk.
///
/// Threading: belongs to one thread.
#pragma once

#include "delta/source.hpp"
#include "disk/sector_cipher.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace sinew::firmware {

class DecryptedSource final : public DeltaSource {
public:
    /// `encrypted` is a whole number of sectors long; they count from its beginning.
    DecryptedSource(std::unique_ptr<DeltaSource> encrypted, SectorCipher cipher)
        : m_encrypted(std::move(encrypted))
        , m_cipher(std::move(cipher)) {}
    [[nodiscard]] std::uint64_t size_bytes() const override { return m_encrypted->size_bytes(); }
    [[nodiscard]] Result<> read_at(std::uint64_t offset, MutableBytesView into) override;

private:
    std::unique_ptr<DeltaSource> m_encrypted;
    SectorCipher m_cipher;
    Bytes m_sectors;
};

} // namespace sinew::firmware
