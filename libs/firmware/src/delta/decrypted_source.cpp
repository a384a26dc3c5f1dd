/// Reads whole sectors around what is asked for.
#include "delta/decrypted_source.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/firmware/io.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace sinew::firmware {

namespace {

constexpr std::size_t most_at_once = 64u << 10;

} // namespace

Result<> DecryptedSource::read_at(std::uint64_t offset, MutableBytesView into) {
    while (!into.empty()) {
        auto const inside = static_cast<std::size_t>(offset % block_size_bytes);
        auto const count = std::min(into.size(), most_at_once - inside);
        auto const blocks = (inside + count + block_size_bytes - 1) / block_size_bytes;
        m_sectors.resize(blocks * block_size_bytes);
        TRY_OK(m_encrypted->read_at(offset - inside, m_sectors));
        m_cipher.decrypt(offset / block_size_bytes, m_sectors);
        std::copy_n(m_sectors.begin() + static_cast<std::ptrdiff_t>(inside), count, into.begin());
        offset += count;
        into = into.subspan(count);
    }
    return {};
}

} // namespace sinew::firmware
