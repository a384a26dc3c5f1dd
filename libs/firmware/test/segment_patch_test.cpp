/// Our own patches: round trips, what moved is found, bounds, damage.
#include "archive/hash.hpp"
#include "delta/segment_decoder.hpp"
#include "delta/segment_encoder.hpp"
#include "delta/segment_patch.hpp"
#include "delta/source.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/io.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace sinew::firmware::test {

namespace {

SegmentPatchOptions small_segments() {
    SegmentPatchOptions options;
    options.segment_bytes = 256u << 10;
    options.window_bytes = 512u << 10;
    options.compression_level = 3;
    return options;
}

Blake2b256::Digest hash_of(BytesView bytes) {
    Blake2b256 hash;
    hash.update(bytes);
    return hash.finish();
}

Result<Bytes> decode(BytesView patch, BytesView source) {
    MemoryInput input(patch);
    MemorySource memory(source);
    SegmentDecoder decoder(input, memory);
    Bytes result;
    Bytes buffer(5000);
    while (true) {
        TRY(auto const count, decoder.read(buffer));
        if (count == 0) {
            return result;
        }
        result.insert(result.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
    }
}

TEST(SegmentPatch, makes_the_target_from_the_source) {
    auto const source = old_content();
    auto const target = new_version(source);
    auto const patch = must(encode_segments(source, hash_of(source), target, small_segments()));
    EXPECT_LT(patch.size(), target.size() / 8);
    EXPECT_EQ(must(decode(patch, source)), target);
}

TEST(SegmentPatch, finds_what_moved_far_away) {
    auto const source = noise(3u << 20, 1);
    Bytes target(source.begin() + (2 << 20), source.end());
    target.insert(target.end(), source.begin(), source.begin() + (2 << 20));
    auto const patch = must(encode_segments(source, hash_of(source), target, small_segments()));
    EXPECT_LT(patch.size(), 64u << 10);
    EXPECT_EQ(must(decode(patch, source)), target);
}

TEST(SegmentPatch, makes_patches_for_extremes) {
    auto const source = old_content();
    auto const small = noise(11, 1);
    for (auto const& [from, to] : std::vector<std::pair<Bytes, Bytes>>{
             {{}, {}}, {{}, small}, {small, {}}, {small, small}, {source, noise(700'000, 3)}, {{}, source}}) {
        EXPECT_EQ(must(decode(must(encode_segments(from, hash_of(from), to, small_segments())), from)), to);
    }
}

TEST(SegmentPatch, is_refused_for_another_source) {
    auto const source = old_content();
    auto const patch = must(encode_segments(source, hash_of(source), new_version(source), small_segments()));
    EXPECT_THAT(message_of(decode(patch, noise(source.size(), 77))), ::testing::HasSubstr("something else"));
    EXPECT_THAT(message_of(decode(patch, BytesView(source).first(1000))),
                ::testing::HasSubstr("something else"));
}

TEST(SegmentPatch, truncation_and_damage_are_found) {
    auto const source = old_content();
    auto const target = new_version(source);
    auto const patch = must(encode_segments(source, hash_of(source), target, small_segments()));
    for (std::size_t size = 0; size < patch.size(); size += 1 + patch.size() / 60) {
        EXPECT_FALSE(decode(BytesView(patch).first(size), source)) << size;
    }
    for (std::size_t at = 0; at < patch.size(); at += 1 + patch.size() / 300) {
        auto damaged = patch;
        damaged[at] ^= std::byte{0x11};
        auto const decoded = decode(damaged, source);
        EXPECT_TRUE(!decoded || *decoded == target) << at; // the hash in the header is checked elsewhere
    }
    auto longer = patch;
    longer.push_back(std::byte{0});
    EXPECT_THAT(message_of(decode(longer, source)), ::testing::HasSubstr("goes on behind its end"));
}

TEST(SegmentPatch, refuses_to_need_more_memory_than_a_reader_has) {
    for (std::size_t const field : {56u, 60u}) {
        Bytes patch(segment_patch::header_bytes);
        auto const header = segment_patch::format_header({100, {}, 100, 4096, 4096});
        std::ranges::copy(header, patch.begin());
        store_le32(patch, field, 1u << 30);
        EXPECT_THAT(message_of(decode(patch, {})), ::testing::HasSubstr("more memory"));
    }
    SegmentPatchOptions options;
    options.window_bytes = 1u << 30;
    EXPECT_FALSE(encode_segments({}, {}, {}, options));
}

} // namespace

} // namespace sinew::firmware::test
