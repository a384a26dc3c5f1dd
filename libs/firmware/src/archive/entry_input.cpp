/// The stream of an entry.
#include "archive/entry_input.hpp"

#include "delta/segment_patch.hpp"
#include "delta/vcdiff_code.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace sinew::firmware {

Result<std::size_t> EntryInput::read(MutableBytesView into) {
    if (m_first_begin == m_first_end) {
        return m_archive.read(into);
    }
    auto const count = std::min(into.size(), m_first_end - m_first_begin);
    std::copy_n(m_first.begin() + static_cast<std::ptrdiff_t>(m_first_begin), count, into.begin());
    m_first_begin += count;
    return count;
}

Result<PatchForm> EntryInput::patch_form() {
    while (m_first_end < m_first.size()) {
        TRY(auto const count, m_archive.read(MutableBytesView(m_first).subspan(m_first_end)));
        if (count == 0) {
            break;
        }
        m_first_end += count;
    }
    auto const first = BytesView(m_first).first(m_first_end);
    if (as_text(first) == segment_patch::magic) {
        return PatchForm::segments;
    }
    auto const vcdiff = std::as_bytes(std::span(vcdiff::magic));
    bool const is_vcdiff =
        first.size() >= vcdiff.size() && std::ranges::equal(first.first(vcdiff.size()), vcdiff);
    return is_vcdiff ? PatchForm::vcdiff : PatchForm::none;
}

} // namespace sinew::firmware
