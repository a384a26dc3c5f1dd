/// Bytes that may be UTF-8.
#include <sinew/base/utf8.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace sinew {
namespace {

TEST(Utf8, whole_characters_are_taken_one_by_one) {
    std::string_view text = "a\u00e9\u20ac\U0001F600";
    EXPECT_EQ(take_code_point(text), U'a');
    EXPECT_EQ(take_code_point(text), U'\u00e9');
    EXPECT_EQ(take_code_point(text), U'\u20ac');
    EXPECT_EQ(take_code_point(text), U'\U0001F600');
    EXPECT_TRUE(text.empty());
}

TEST(Utf8, what_begins_no_character_is_one_byte) {
    // Too long, a surrogate, beyond U+10FFFF, cut off, a stray byte.
    for (std::string_view const bytes :
         {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
        auto rest = bytes;
        EXPECT_FALSE(take_code_point(rest));
        EXPECT_EQ(rest.size(), bytes.size() - 1);
        EXPECT_FALSE(is_utf8(bytes));
    }
}

TEST(Utf8, each_bad_byte_is_replaced_and_nothing_else_changes) {
    EXPECT_EQ(valid_utf8("plain text, longer than a word\u00e9"), "plain text, longer than a word\u00e9");
    EXPECT_EQ(valid_utf8("longer than a word \xff and\xe2\x82 more \u20ac"),
              "longer than a word \uFFFD and\uFFFD\uFFFD more \u20ac");
    EXPECT_EQ(valid_utf8("\xff"), "\uFFFD");
    EXPECT_EQ(valid_utf8(""), "");
}

TEST(Utf8, a_text_is_cut_between_characters) {
    EXPECT_EQ(cut_utf8("abc", 3), "abc");
    EXPECT_EQ(cut_utf8("abcd", 3), "abc");
    EXPECT_EQ(cut_utf8("ab\u20ac", 4), "ab");
    EXPECT_EQ(cut_utf8("ab\u20acx", 5), "ab\u20ac");
    EXPECT_EQ(cut_utf8("\x80\x80\x80\x80\x80\x80", 5).size(), 5u) << "no text: anywhere will do";
}

} // namespace
} // namespace sinew
