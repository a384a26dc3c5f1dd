/// Described structs to and from TOML and JSON, and the errors their authors read.
#include <sinew/base/describe.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
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
    EXPECT_THAT(error_of("interval = \"-1s\"\n"), HasSubstr("outside 0"));
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

RC_GTEST_PROP(Describe, any_duration_survives_its_text, (std::uint32_t milliseconds)) {
    Board board;
    board.interval = std::chrono::milliseconds(milliseconds);
    auto const again = from_json<Board>(to_json(board), "again.json");
    RC_ASSERT(again.has_value());
    RC_ASSERT(again->interval == board.interval);
}

} // namespace
} // namespace sinew
