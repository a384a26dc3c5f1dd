/// Whatever a data partition holds, looking at it neither fails nor calls what has a superblock empty.
#include "partition_content.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

namespace {

/// 1 MiB of zeros that begins with the input.
class FuzzedPartition final : public sinew::init::PartitionBytes {
public:
    explicit FuzzedPartition(sinew::BytesView start) {
        std::ranges::copy(start.first(std::min(start.size(), m_content.size())), m_content.begin());
    }
    std::uint64_t size_bytes() const override { return m_content.size(); }
    sinew::Result<> read_at(std::uint64_t offset, sinew::MutableBytesView into) override {
        std::ranges::copy(sinew::BytesView(m_content).subspan(offset, into.size()), into.begin());
        return {};
    }
    sinew::Result<> write_at(std::uint64_t offset, sinew::BytesView bytes) override {
        std::ranges::copy(bytes, m_content.begin() + static_cast<std::ptrdiff_t>(offset));
        return {};
    }
    sinew::Result<> sync() override { return {}; }

private:
    sinew::Bytes m_content = sinew::Bytes(1u << 20);
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const start = std::as_bytes(std::span(data, size));
    FuzzedPartition partition(start);
    auto const probe = probe_partition(partition);
    bool const is_uniform = std::ranges::all_of(start, [&](std::byte b) { return b == start.front(); });
    if (!probe || (probe->content == sinew::init::PartitionContent::empty && !is_uniform)) {
        std::abort();
    }
    return 0;
}
