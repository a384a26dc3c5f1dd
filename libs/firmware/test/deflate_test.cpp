/// Deflate in pieces: whatever goes in, zlib gets it out again; pieces join to one stream.
#include "archive/deflate_encoder.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstddef>
#include <string>
#include <vector>

namespace sinew::firmware::test {

namespace {

/// What zlib makes of a raw stream that must end where the bytes do.
Bytes inflate_all(Bytes stream, std::size_t size) {
    Bytes out(size + 1);
    z_stream state{};
    inflateInit2(&state, -MAX_WBITS);
    state.next_in = reinterpret_cast<unsigned char*>(stream.data());
    state.avail_in = static_cast<unsigned>(stream.size());
    state.next_out = reinterpret_cast<unsigned char*>(out.data());
    state.avail_out = static_cast<unsigned>(out.size());
    EXPECT_EQ(inflate(&state, Z_FINISH), Z_STREAM_END);
    EXPECT_EQ(state.avail_in, 0u);
    out.resize(out.size() - state.avail_out);
    inflateEnd(&state);
    return out;
}

void append(Bytes& bytes, BytesView more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

Bytes repeated(std::string const& text, std::size_t size) {
    Bytes bytes;
    while (bytes.size() < size) {
        append(bytes, as_bytes(text));
    }
    bytes.resize(size);
    return bytes;
}

/// Contents that lead to every kind of block, match and code.
std::vector<Bytes> contents() {
    std::vector<Bytes> all{{}, to_bytes("a"), to_bytes("ab"), Bytes(3), Bytes(300'000)};
    all.push_back(old_content());
    all.push_back(noise(200'000, 7));
    all.push_back(repeated("abc", 257));
    all.push_back(repeated("abc", 258 + 3));
    all.push_back(repeated("the quick brown fox ", 70'000));
    auto pages = noise(4096, 1);
    append(pages, repeated("/usr/lib/", 4096));
    append(pages, pages); // from 8 KiB back
    append(pages, Bytes(40'000));
    append(pages, BytesView(pages).first(4096)); // from further back than deflate can reach
    all.push_back(pages);
    Bytes skewed; // so rare symbols that their codes must be cut to 15 bits
    for (std::size_t symbol = 0, count = 1; symbol < 24; ++symbol, count = count * 8 / 5 + 1) {
        skewed.insert(skewed.end(), count, static_cast<std::byte>(symbol * 9));
    }
    for (std::size_t i = 0; i < skewed.size(); ++i) { // in an order that has few matches
        std::swap(skewed[i], skewed[i * 7919 % skewed.size()]);
    }
    all.push_back(skewed);
    return all;
}

TEST(Deflate, zlib_gets_out_what_went_in) {
    for (int level = 1; level <= 9; ++level) {
        DeflateEncoder encoder(level);
        for (auto const& content : contents()) {
            auto stream = encoder.encode(content);
            EXPECT_LE(stream.size(), content.size() + content.size() / 500 + 16);
            append(stream, end_of_deflate);
            EXPECT_EQ(inflate_all(stream, content.size()), content) << level << ", " << content.size();
        }
    }
}

TEST(Deflate, pieces_join_to_one_stream) {
    DeflateEncoder encoder(6);
    Bytes stream;
    Bytes content;
    for (auto const& piece : contents()) {
        append(stream, encoder.encode(piece));
        append(content, piece);
    }
    append(stream, end_of_deflate);
    EXPECT_EQ(inflate_all(stream, content.size()), content);
}

TEST(Deflate, a_used_encoder_does_the_same_as_a_new_one) {
    DeflateEncoder used(6);
    (void)used.encode(noise(100'000, 3));
    EXPECT_EQ(used.encode(old_content()), DeflateEncoder(6).encode(old_content()));
}

TEST(Deflate, higher_levels_are_no_larger_and_noise_does_not_grow) {
    auto const content = old_content();
    auto const size = [&](int level) { return DeflateEncoder(level).encode(content).size(); };
    EXPECT_LE(size(9), size(6) + size(6) / 1000);
    EXPECT_LE(size(6), size(1));
    EXPECT_LE(DeflateEncoder(6).encode(noise(1u << 20, 2)).size(), (1u << 20) + 200u);
}

} // namespace

} // namespace sinew::firmware::test
