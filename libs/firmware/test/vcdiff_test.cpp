/// VCDIFF: what xdelta3 makes is decoded, what we make xdelta3 decodes, and damage is found within bounds.
#include "delta/source.hpp"
#include "delta/vcdiff_code.hpp"
#include "delta/vcdiff_decoder.hpp"
#include "delta/vcdiff_encoder.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/io.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sinew::firmware::test {

namespace {

Result<Bytes> decode(BytesView patch, BytesView source) {
    MemoryInput input(patch);
    MemorySource memory(source);
    VcdiffDecoder decoder(input, memory);
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

class Vcdiff : public ::testing::Test {
protected:
    Bytes patch_of_xdelta3(BytesView source, BytesView target, std::vector<std::string> const& options) {
        m_workshop.write("source", source);
        m_workshop.write("target", target);
        std::vector<std::string> command{"xdelta3", "-q", "-f", "-e", "-S", "none"};
        command.insert(command.end(), options.begin(), options.end());
        command.insert(command.end(), {"-s", m_workshop.text_path("source"), m_workshop.text_path("target"),
                                       m_workshop.text_path("patch")});
        tool(command);
        return m_workshop.read("patch");
    }

    Bytes decoded_by_xdelta3(BytesView source, BytesView patch) {
        m_workshop.write("source", source);
        m_workshop.write("patch", patch);
        tool({"xdelta3", "-q", "-f", "-d", "-s", m_workshop.text_path("source"),
              m_workshop.text_path("patch"), m_workshop.text_path("result")});
        return m_workshop.read("result");
    }

    Workshop m_workshop;
    Bytes m_old = old_content();
    Bytes m_new = new_version(m_old);
};

TEST_F(Vcdiff, decodes_what_xdelta3_makes) {
    for (std::vector<std::string> const& options :
         {std::vector<std::string>{}, {"-9"}, {"-1"}, {"-W", "16384"}, {"-n"}, {"-A", "-B", "524288"}}) {
        auto const patch = patch_of_xdelta3(m_old, m_new, options);
        ASSERT_LT(patch.size(), m_new.size() / 4);
        auto const decoded = decode(patch, m_old);
        ASSERT_TRUE(decoded) << message_of(decoded);
        EXPECT_EQ(*decoded, m_new);
    }
}

TEST_F(Vcdiff, decodes_a_patch_without_source_and_one_to_nothing) {
    Bytes const runs(100'000, std::byte{7});
    EXPECT_EQ(must(decode(patch_of_xdelta3({}, runs, {}), {})), runs);
    EXPECT_EQ(must(decode(patch_of_xdelta3(m_old, {}, {}), m_old)), Bytes{});
}

TEST_F(Vcdiff, what_it_makes_xdelta3_decodes) {
    auto const patch = must(encode_vcdiff(m_old, m_new));
    EXPECT_LT(patch.size(), m_new.size() / 4);
    EXPECT_EQ(decoded_by_xdelta3(m_old, patch), m_new);
    EXPECT_EQ(must(decode(patch, m_old)), m_new);
}

TEST_F(Vcdiff, makes_patches_for_extremes) {
    auto const small = noise(11, 1);
    for (auto const& [source, target] :
         std::vector<std::pair<Bytes, Bytes>>{{{}, {}},
                                              {{}, small},
                                              {small, {}},
                                              {small, small},
                                              {m_old, m_old},
                                              {Bytes(70'000), Bytes(5'000'000)}}) {
        auto const patch = must(encode_vcdiff(source, target));
        EXPECT_EQ(must(decode(patch, source)), target);
        if (!target.empty()) { // xdelta3 doesn't write empty files
            EXPECT_EQ(decoded_by_xdelta3(source, patch), target);
        }
    }
}

TEST_F(Vcdiff, refuses_what_it_was_not_made_for) {
    auto const patch = patch_of_xdelta3(m_old, m_new, {});
    auto changed = m_old;
    changed[changed.size() / 2] ^= std::byte{1};
    EXPECT_THAT(message_of(decode(patch, changed)), ::testing::HasSubstr("made from something else"));
    EXPECT_THAT(message_of(decode(patch, BytesView(m_old).first(1000))),
                ::testing::HasSubstr("made from something else"));
}

TEST_F(Vcdiff, refuses_what_it_does_not_know_and_names_the_remedy) {
    auto const patch = must(encode_vcdiff(m_old, m_new));
    auto own_table = patch;
    own_table[4] = std::byte{vcdiff::header_code_table};
    auto from_target = patch;
    from_target[5] |= std::byte{vcdiff::window_target};
    for (auto const& unknown : {own_table, from_target}) {
        auto const decoded = decode(unknown, m_old);
        ASSERT_FALSE(decoded);
        EXPECT_EQ(decoded.error().code(), ErrorCode::unsupported);
        EXPECT_THAT(message_of(decoded), ::testing::HasSubstr("xdelta3 -S none"));
    }
}

TEST_F(Vcdiff, truncation_is_found_wherever_it_is) {
    auto const source = BytesView(m_old).first(20'000);
    auto const target = BytesView(m_new).first(20'000);
    auto const patch = must(encode_vcdiff(source, target));
    for (std::size_t size = 0; size < patch.size(); size += 1 + size / 50) {
        auto const decoded = decode(BytesView(patch).first(size), source);
        EXPECT_TRUE(!decoded || decoded->empty()) << size; // the bare header is a patch to nothing
    }
}

TEST_F(Vcdiff, damage_never_passes_as_the_right_result) {
    auto const source = BytesView(m_old).first(20'000);
    auto const target = Bytes(m_new.begin(), m_new.begin() + 20'000);
    auto const patch = must(encode_vcdiff(source, target));
    for (std::size_t at = 5; at < patch.size(); ++at) {
        auto damaged = patch;
        damaged[at] ^= std::byte{0x55};
        auto const decoded = decode(damaged, source);
        EXPECT_TRUE(!decoded || *decoded == target || decoded->empty()) << at;
    }
}

} // namespace

} // namespace sinew::firmware::test
