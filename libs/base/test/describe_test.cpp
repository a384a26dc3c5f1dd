/// Described structs to and from TOML and JSON, and the errors their authors read.
#include <sinew/base/describe.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinew {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

enum class Pull : std::uint8_t { none, up, down };
BOOST_DESCRIBE_ENUM(Pull, none, up, down)

struct Line {
    std::string name;
    Pull pull = Pull::none;
    std::optional<std::chrono::milliseconds> debounce;
};
BOOST_DESCRIBE_STRUCT(Line, (), (name, pull, debounce))

struct Board {
    std::uint8_t address = 0x48;
    double ratio = 0.5;
    bool active = false;
    std::vector<Line> lines;
    std::map<std::string, int> limits;
    std::chrono::milliseconds interval = 5s;
};
BOOST_DESCRIBE_STRUCT(Board, (), (address, ratio, active, lines, limits, interval))

struct Named {
    std::string name;
    std::optional<std::filesystem::path> folder;
};
BOOST_DESCRIBE_STRUCT(Named, (), (name, folder))

struct Tree : Named {
    std::vector<bool> answers;
    std::vector<Tree> branches;
};
BOOST_DESCRIBE_STRUCT(Tree, (Named), (answers, branches))

struct Numbers {
    std::int8_t smallest = 0;
    std::int64_t largest = 0;
    std::uint32_t natural = 0;
    float half = 0;
};
BOOST_DESCRIBE_STRUCT(Numbers, (), (smallest, largest, natural, half))

std::string error_of(std::string_view text) {
    auto const board = from_toml<Board>(text, "board.toml");
    return board ? "no error" : board.error().message();
}

TEST(Describe, members_left_out_keep_their_defaults) {
    auto const board = from_toml<Board>("active = true\n", "board.toml").value();
    EXPECT_TRUE(board.active);
    EXPECT_EQ(board.address, 0x48);
    EXPECT_EQ(board.interval, 5s);
}

TEST(Describe, every_kind_of_member_is_read) {
    auto const board = from_toml<Board>(R"(
address = 80
ratio = 2
interval = "1.5s"
[limits]
high = 10
[[lines]]
name = "LED"
pull = "up"
debounce = "20ms"
)",
                                        "board.toml")
                           .value();
    EXPECT_EQ(board.address, 80);
    EXPECT_EQ(board.ratio, 2.0);
    EXPECT_EQ(board.interval, 1500ms);
    EXPECT_EQ(board.limits.at("high"), 10);
    ASSERT_EQ(board.lines.size(), 1u);
    EXPECT_EQ(board.lines[0].pull, Pull::up);
    EXPECT_EQ(board.lines[0].debounce, 20ms);
}

TEST(Describe, an_unknown_key_is_named_with_file_line_and_the_nearest_known_one) {
    EXPECT_EQ(
        error_of("active = true\nintervall = \"5s\"\n"),
        "board.toml:2: unknown key 'intervall' (did you mean 'interval'? known keys: address, ratio, active, "
        "lines, limits, interval)");
    EXPECT_THAT(error_of("zzz = 1\n"), testing::Not(HasSubstr("did you mean")));
}

TEST(Describe, an_unknown_enumerator_lists_the_allowed_ones) {
    EXPECT_EQ(error_of("[[lines]]\nname = \"x\"\npull = \"sideways\"\n"),
              "board.toml:3: lines.0.pull: expected one of none, up, down; found 'sideways'");
}

TEST(Describe, a_wrong_type_says_what_was_expected_and_found) {
    EXPECT_EQ(error_of("active = 1\n"), "board.toml:1: active: expected true or false, found an integer");
    EXPECT_EQ(error_of("lines = \"x\"\n"), "board.toml:1: lines: expected an array, found a string");
    EXPECT_EQ(error_of("limits = [1]\n"), "board.toml:1: limits: expected a table, found an array");
}

TEST(Describe, a_number_out_of_range_names_the_range) {
    EXPECT_EQ(error_of("address = 256\n"), "board.toml:1: address: 256 is outside 0 to 255");
    EXPECT_EQ(error_of("address = -1\n"), "board.toml:1: address: -1 is outside 0 to 255");
}

TEST(Describe, durations_need_a_unit_and_are_never_rounded_away) {
    EXPECT_THAT(error_of("interval = 500\n"), HasSubstr("expected a duration such as \"500ms\""));
    EXPECT_THAT(error_of("interval = \"5 parsecs\"\n"), HasSubstr("found '5 parsecs'"));
    EXPECT_THAT(error_of("interval = \"1.s\"\n"), HasSubstr("found '1.s'"));
    EXPECT_THAT(error_of("interval = \"9999999999999999999d\"\n"),
                HasSubstr("longer than this setting can hold"));
    EXPECT_EQ(error_of("interval = \"1us\"\n"),
              "board.toml:1: interval: is finer than this setting can hold");
}

TEST(Describe, laying_a_file_over_another_keeps_what_it_does_not_name) {
    auto board = from_toml<Board>("address = 1\nactive = true\n", "base.toml").value();
    ASSERT_TRUE(decode_onto(board, parse_toml("address = 2\n", "over.toml").value(), "over.toml"));
    EXPECT_EQ(board.address, 2);
    EXPECT_TRUE(board.active);
    EXPECT_FALSE(
        decode_onto(board, parse_toml("address = 3\nratio = \"x\"\n", "bad.toml").value(), "bad.toml"));
    EXPECT_EQ(board.address, 2) << "an error leaves the object as it was";
}

TEST(Describe, inherited_members_come_first_and_a_struct_may_hold_its_like) {
    Tree tree;
    tree.name = "stem";
    tree.folder = "/srv/trees";
    tree.answers = {true, false};
    tree.branches.emplace_back().name = "twig";
    std::string const text = R"({"name":"stem","folder":"/srv/trees","answers":[true,false],"branches":)"
                             R"([{"name":"twig","folder":null,"answers":[],"branches":[]}]})";
    EXPECT_EQ(to_json(tree), text);
    EXPECT_EQ(to_json(from_json<Tree>(text, "tree.json").value()), text);
    auto const wrong = from_json<Tree>(R"({"branches":[{"answers":[1]}]})", "tree.json");
    EXPECT_EQ(wrong.error().message(),
              "tree.json: branches.0.answers.0: expected true or false, found an integer");
    auto const unknown = from_json<Tree>(R"({"x":1})", "tree.json");
    EXPECT_EQ(unknown.error().message(),
              "tree.json: unknown key 'x' (known keys: name, folder, answers, branches)");
}

TEST(Describe, integers_and_numbers_of_every_size_keep_their_value) {
    Numbers const numbers{.smallest = std::numeric_limits<std::int8_t>::min(),
                          .largest = std::numeric_limits<std::int64_t>::min(),
                          .natural = std::numeric_limits<std::uint32_t>::max(),
                          .half = 0.5F};
    std::string const text =
        R"({"smallest":-128,"largest":-9223372036854775808,"natural":4294967295,"half":0.5})";
    EXPECT_EQ(to_json(numbers), text);
    EXPECT_EQ(to_json(from_json<Numbers>(text, "numbers.json").value()), text);
    EXPECT_EQ(from_json<Numbers>(R"({"smallest":-129})", "n").error().message(),
              "n: smallest: -129 is outside -128 to 127");
    EXPECT_EQ(from_json<Numbers>(R"({"natural":4294967296})", "n").error().message(),
              "n: natural: 4294967296 is outside 0 to 4294967295");
}

TEST(Describe, json_and_toml_hold_the_same) {
    Board board;
    board.lines.push_back({.name = "a\"b", .pull = Pull::down, .debounce = 1ms});
    board.limits["x"] = -3;
    EXPECT_EQ(to_json(board),
              R"({"address":72,"ratio":0.5,"active":false,"lines":[{"name":"a\"b","pull":"down",)"
              R"("debounce":"1ms"}],"limits":{"x":-3},"interval":"5s"})");
    auto const again = from_toml<Board>(to_toml(board).value(), "again.toml").value();
    EXPECT_EQ(to_json(again), to_json(board));
}

enum class Access : std::uint8_t { none = 0, read = 1, write = 2, run = 4 };
BOOST_DESCRIBE_ENUM(Access, none, read, write, run)
constexpr Access operator|(Access left, Access right) {
    return static_cast<Access>(static_cast<unsigned>(left) | static_cast<unsigned>(right));
}

struct Extremes {
    std::chrono::nanoseconds finest{};
    std::chrono::milliseconds middle{};
    std::chrono::hours coarsest{};
    std::chrono::duration<std::int16_t, std::milli> small{};
    std::chrono::duration<double> exact{};
    std::chrono::duration<float, std::milli> single{};
    double number = 0;
    float half = 0;
    Access access = Access::none;
    std::string text;
    std::map<std::string, std::string> texts;
};
BOOST_DESCRIBE_STRUCT(Extremes, (),
                      (finest, middle, coarsest, small, exact, single, number, half, access, text, texts))

/// The same object after a trip through each text.
std::vector<Extremes> again(Extremes const& object) {
    auto const toml = to_toml(object).value();
    auto const json = to_json(object);
    return {from_toml<Extremes>(toml, "toml").value(), from_json<Extremes>(json, "json").value()};
}

RC_GTEST_PROP(Describe, any_number_and_duration_survives_its_text,
              (std::int64_t whole, std::int16_t small, double number, float half)) {
    Extremes object;
    object.finest = std::chrono::nanoseconds(whole);
    object.middle = std::chrono::milliseconds(whole);
    object.coarsest = std::chrono::hours(whole);
    object.small = std::chrono::duration<std::int16_t, std::milli>(small);
    object.exact = std::chrono::duration<double>(number);
    object.single = std::chrono::duration<float, std::milli>(half);
    object.number = number;
    object.half = half;
    for (auto const& copy : again(object)) {
        RC_ASSERT(copy.finest == object.finest);
        RC_ASSERT(copy.middle == object.middle);
        RC_ASSERT(copy.coarsest == object.coarsest);
        RC_ASSERT(copy.small == object.small);
        RC_ASSERT(copy.exact == object.exact);
        RC_ASSERT(copy.single == object.single);
        RC_ASSERT(copy.number == object.number);
        RC_ASSERT(copy.half == object.half);
    }
}

TEST(Describe, durations_beyond_what_a_double_holds_keep_every_nanosecond) {
    Extremes object;
    for (auto const count :
         {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(),
          std::int64_t{9'007'199'254'740'993}, std::int64_t{-1'500'000'000}}) {
        object.finest = std::chrono::nanoseconds(count);
        object.middle = std::chrono::milliseconds(count);
        object.coarsest = std::chrono::hours(count);
        for (auto const& copy : again(object)) {
            EXPECT_EQ(copy.finest, object.finest);
            EXPECT_EQ(copy.middle, object.middle);
            EXPECT_EQ(copy.coarsest, object.coarsest);
        }
    }
    EXPECT_THAT(to_json(object), HasSubstr(R"("finest":"-1500ms")"));
    object.small = std::chrono::duration<std::int16_t, std::milli>(std::numeric_limits<std::int16_t>::min());
    EXPECT_EQ(again(object).front().small, object.small);
    EXPECT_THAT(from_json<Extremes>(R"({"small":"40s"})", "x").error().message(),
                HasSubstr("small: is longer than this setting can hold"));
}

TEST(Describe, numbers_that_json_does_not_have_survive_it) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Extremes object;
    object.number = -infinity;
    object.half = std::numeric_limits<float>::infinity();
    object.exact = std::chrono::duration<double>(infinity);
    for (auto const& copy : again(object)) {
        EXPECT_EQ(copy.number, -infinity);
        EXPECT_EQ(copy.half, object.half);
        EXPECT_EQ(copy.exact, object.exact);
    }
    object.number = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(std::isnan(again(object).front().number));
    EXPECT_TRUE(std::isnan(again(object).back().number));
}

TEST(Describe, a_number_too_large_for_a_float_is_an_error) {
    EXPECT_EQ(from_json<Numbers>(R"({"half":1e39})", "n").error().message(),
              "n: half: is larger than this setting can hold");
    EXPECT_FALSE(from_json<Numbers>(R"({"half":-1e39})", "n"));
    EXPECT_EQ(from_json<Numbers>(R"({"half":3.4028234663852886e38})", "n").value().half,
              std::numeric_limits<float>::max());
}

TEST(Describe, flags_survive_and_a_value_without_a_name_is_shown_and_refused) {
    Extremes object;
    object.access = Access::read | Access::run;
    for (auto const& copy : again(object)) {
        EXPECT_EQ(copy.access, object.access);
    }
    EXPECT_THAT(from_json<Extremes>(R"({"access":256})", "x").error().message(),
                HasSubstr("outside 0 to 255"));
    Line const line{.name = "x", .pull = static_cast<Pull>(9), .debounce = std::nullopt};
    EXPECT_EQ(to_json(line), R"({"name":"x","pull":9,"debounce":null})");
    EXPECT_EQ(from_json<Line>(to_json(line), "x").error().message(),
              "x: pull: expected one of none, up, down; found an integer");
}

TEST(Describe, bytes_that_are_not_utf8_become_readable_in_texts_and_keys) {
    Extremes object;
    object.text = "serial \xff\xc3 \xed\xa0\x80 \x7f\r\n\t\"\\";
    object.texts = {{"\xff", "a"}, {"\xfe", "b"}, {"\uFFFD", "c"}, {"", "d"}};
    for (auto const& copy : again(object)) {
        EXPECT_EQ(copy.text, "serial \uFFFD\uFFFD \uFFFD\uFFFD\uFFFD \x7f\r\n\t\"\\");
        EXPECT_EQ(copy.texts.size(), 4u);
        EXPECT_EQ(copy.texts.at(""), "d");
    }
}

} // namespace
} // namespace sinew
