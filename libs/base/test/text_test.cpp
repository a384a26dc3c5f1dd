/// Cutting, joining and reading text.
#include <sinew/base/clock.hpp>
#include <sinew/base/line_assembler.hpp>
#include <sinew/base/text.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace sinew {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Text, it_splits_at_each_separator) {
    EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
    EXPECT_THAT(split("", ','), ElementsAre(""));
    EXPECT_THAT(split_nonempty(",a,,b,", ','), ElementsAre("a", "b"));
    EXPECT_THAT(split_nonempty("", ','), IsEmpty());
}

TEST(Text, it_joins_with_a_separator_between_parts_also_empty_ones) {
    EXPECT_EQ(join(std::vector<std::string>{"a", "", "b"}), "a, , b");
    EXPECT_EQ(join(std::vector<std::string>{"", "b"}, " "), " b");
    EXPECT_EQ(join(std::vector<std::string_view>{}, " "), "");
}

TEST(Text, shown_it_has_nothing_that_a_terminal_obeys) {
    EXPECT_EQ(printable("plain \"text\" \\ Grüße €😀"), "plain \"text\" \\ Grüße €😀");
    EXPECT_EQ(printable("a\nb\tc\rd"), "a\\nb\\tc\\rd");
    EXPECT_EQ(printable("\x1b[2J\x7f"), "\\x1b[2J\\x7f");
    EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b") << "a control character of 8 bits, in UTF-8";
    EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae") << "from right to left";
    EXPECT_EQ(printable("\xff\xc3(\xe2\x82"), "\\xff\\xc3(\\xe2\\x82") << "no UTF-8";
    EXPECT_EQ(printable("\xc0\xaf\xed\xa0\x80"), "\\xc0\\xaf\\xed\\xa0\\x80") << "too long, and half a pair";
    EXPECT_EQ(printable("a\n\tb\x1b\r", LineFeed::kept), "a\n\tb\\x1b\\r");
}

TEST(Text, trimmed_it_has_no_blanks_at_its_ends) {
    EXPECT_EQ(trim(" \t a b\r\n"), "a b");
    EXPECT_EQ(trim(" \n"), "");
    EXPECT_EQ(trim(""), "");
}

TEST(Text, a_number_is_the_whole_text_and_fits) {
    EXPECT_EQ(parse_number<std::uint8_t>("255"), 255);
    EXPECT_EQ(parse_number<int>("-12"), -12);
    EXPECT_EQ(parse_number<unsigned>("ff", 16), 255U);
    EXPECT_EQ(parse_number<std::int64_t>("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(parse_number<std::uint64_t>("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
    for (auto const* text : {"", "256", "-1", "+1", " 1", "1 ", "1x", "0x1", "99999999999999999999"}) {
        EXPECT_FALSE(parse_number<std::uint8_t>(text)) << text;
    }
    EXPECT_FALSE(parse_int64("101", 0, 100));
    EXPECT_FALSE(parse_int64("-1", 0, 100));
}

TEST(Text, a_number_in_front_is_taken_or_left_whole) {
    std::string_view text = "12/345";
    EXPECT_EQ(take_number<int>(text), 12);
    EXPECT_EQ(text, "/345");
    EXPECT_FALSE(take_number<int>(text));
    text.remove_prefix(1);
    EXPECT_FALSE(take_number<std::uint8_t>(text));
    EXPECT_EQ(text, "345");
}

TEST(Text, octal_escapes_of_the_kernel_are_taken_back) {
    EXPECT_EQ(unescape_octal("/data/my\\040disk\\134"), "/data/my disk\\");
    EXPECT_EQ(unescape_octal("/y\\04"), "/y\\04");
    EXPECT_EQ(unescape_octal("\\777\\"), "\\777\\");
}

TEST(Lines, they_come_whole_however_they_are_cut) {
    std::vector<std::string> lines;
    auto const keep = [&lines](std::string_view line) { lines.emplace_back(line); };
    LineAssembler assembler(100);
    for (auto const* piece : {"on", "e\ntwo\n", "\n", "th", "ree"}) {
        assembler.feed(piece, keep);
    }
    EXPECT_THAT(lines, ElementsAre("one", "two", ""));
    assembler.finish(keep);
    assembler.finish(keep);
    EXPECT_THAT(lines, ElementsAre("one", "two", "", "three"));
}

TEST(Lines, one_too_long_comes_in_pieces_and_one_that_just_fits_whole) {
    std::vector<std::string> lines;
    auto const keep = [&lines](std::string_view line) { lines.emplace_back(line); };
    LineAssembler assembler(4);
    assembler.feed("abcd\nabcdefghij\n", keep);
    EXPECT_THAT(lines, ElementsAre("abcd", "abcd", "efgh", "ij"));
}

TEST(DurationText, it_is_as_fine_as_people_need) {
    EXPECT_EQ(format_duration(230ms), "230 ms");
    EXPECT_EQ(format_duration(4200ms), "4.20 s");
    EXPECT_EQ(format_duration(42s), "42 s");
    EXPECT_EQ(format_duration(42050ms), "42.0 s");
    EXPECT_EQ(format_duration(59990ms), "1 min 0 s");
    EXPECT_EQ(format_duration(0s), "0 s");
    EXPECT_EQ(format_duration(125s), "2 min 5 s");
    EXPECT_EQ(format_duration(25h + 3s), "1 d 1 h 0 min 3 s");
}

} // namespace
} // namespace sinew
