/// The neutral tree, and its TOML and JSON texts.
#include <sinew/base/value.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

namespace sinew {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string json_again(std::string_view text) {
    return format_json(parse_json(text, "test").value());
}

TEST(Value, json_keeps_order_types_and_escapes) {
    constexpr std::string_view text = R"({"z":1,"a":[true,null,-2.5,"\"\n\u0001é"],"e":{},"f":[]})";
    EXPECT_EQ(json_again(text), R"({"z":1,"a":[true,null,-2.5,"\"\n\u0001é"],"e":{},"f":[]})");
}

TEST(Value, a_double_stays_a_double_in_json) {
    EXPECT_EQ(json_again("[1.0, 1]"), "[1.0,1]");
    EXPECT_EQ(json_again("[1e300]"), "[1e+300]");
    EXPECT_EQ(format_json(Value(std::numeric_limits<double>::quiet_NaN())), R"("NaN")");
}

TEST(Value, json_numbers_are_read_to_the_last_bit) {
    for (auto const* text : {"0.1", "-0.0", "9007199254740993.0", "1.7976931348623157e+308", "5e-324",
                             "2.2250738585072011e-308", "-12345678901234567890.0", "0.30000000000000004"}) {
        double expected = 0;
        (void)std::from_chars(text, text + std::strlen(text), expected);
        auto const read = parse_json(text, "test").value();
        ASSERT_NE(read.get_if<double>(), nullptr) << text;
        EXPECT_EQ(std::bit_cast<std::uint64_t>(*read.get_if<double>()),
                  std::bit_cast<std::uint64_t>(expected))
            << text;
    }
    EXPECT_EQ(*parse_json("1e-400", "test").value().get_if<double>(), 0.0);
    EXPECT_FALSE(parse_json("1e400", "test"));
    EXPECT_FALSE(parse_json("[-1e309]", "test"));
}

TEST(Value, the_last_json_member_of_a_name_counts) {
    EXPECT_EQ(json_again(R"({"a":1,"b":2,"a":3})"), R"({"b":2,"a":3})");
    std::string many = "{";
    for (int i = 0; i < 40; ++i) {
        many += "\"k" + std::to_string(i % 30) + "\":" + std::to_string(i) + ",";
    }
    many.back() = '}';
    auto const read = parse_json(many, "test").value();
    EXPECT_EQ(read.get_if<Value::Object>()->size(), 30u);
    EXPECT_EQ(*read.find("k9")->get_if<std::int64_t>(), 39);
}

TEST(Value, indented_json_is_for_people) {
    auto const value = parse_json(R"({"a":[1,2],"b":{}})", "test").value();
    EXPECT_EQ(format_json(value, JsonStyle::indented), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
}

TEST(Value, broken_json_names_file_and_line) {
    auto const failed = parse_json("{\n\"a\": 1,\n}", "status.json");
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message(), StartsWith("status.json:3: "));
    EXPECT_FALSE(parse_json("{} x", "status.json"));
    EXPECT_FALSE(parse_json("", "status.json"));
}

TEST(Value, nesting_is_bounded) {
    EXPECT_TRUE(parse_json(std::string(40, '[') + std::string(40, ']'), "test"));
    EXPECT_FALSE(parse_json(std::string(100'000, '['), "test"));
    EXPECT_FALSE(parse_toml("a = " + std::string(100'000, '['), "test"));
}

TEST(Value, toml_knows_the_line_of_each_value) {
    auto const value = parse_toml("a = 1\n[table]\nb = \"x\"\n", "test.toml").value();
    EXPECT_EQ(value.find("a")->line(), 1);
    EXPECT_EQ(value.find("table")->find("b")->line(), 3);
    EXPECT_EQ(*value.find("table")->find("b")->get_if<std::string>(), "x");
    EXPECT_EQ(value.find("missing"), nullptr);
}

TEST(Value, broken_toml_names_file_line_and_column) {
    for (auto const* text : {"[=]", "[[\x01]]", "{m\r[\r", "[a.=]"}) {
        EXPECT_FALSE(parse_toml(text, "sinew.toml")) << text;
    }
    auto const failed = parse_toml("a = 1\nb = = 2\n", "sinew.toml");
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message(), StartsWith("sinew.toml:2:5: "));
    EXPECT_THAT(parse_toml("a = 1\na = 2\n", "sinew.toml").error().message(), HasSubstr("sinew.toml:2"));
}

TEST(Value, toml_that_lacks_quotes_is_told_so) {
    auto const said = [](std::string_view text) { return parse_toml(text, "sinew.toml").error().message(); };
    EXPECT_THAT(said("version = \"1\"\nname = blinky # ours\n"), StartsWith("sinew.toml:2:"));
    EXPECT_THAT(said("version = \"1\"\nname = blinky # ours\n"),
                HasSubstr("a text needs quotes: name = \"blinky\""));
    for (auto const* value : {"500ms", "1.2.3", "10.0.0.1", "/dev/sda", "~/key.pub", "a b"}) {
        EXPECT_THAT(said("[a]\nkey = " + std::string(value)),
                    HasSubstr("quotes: key = \"" + std::string(value) + "\""));
    }
    EXPECT_THAT(said("on = True\n"), HasSubstr("lower case"));
    EXPECT_THAT(said("name = \"blinky\n"), testing::Not(HasSubstr("needs quotes")));
    EXPECT_THAT(said("list = [1, 2\n"), testing::Not(HasSubstr("needs quotes")));
    EXPECT_THAT(said("just words\n"), testing::Not(HasSubstr("needs quotes")));
}

TEST(Value, toml_is_written_so_that_it_reads_the_same) {
    auto const value =
        parse_toml("name = \"a\\\"b\"\nlist = [1, 2.5, true]\n[table.inner]\nx = -1\n", "test.toml").value();
    auto const text = format_toml(value).value();
    EXPECT_EQ(format_json(parse_toml(text, "again").value()), format_json(value));
}

TEST(Value, letters_outside_a_string_are_an_error_and_inside_one_are_kept) {
    for (std::string_view const letter : {"\u00e9", "\u0254", "\uFC00", "\uFFE5"}) {
        EXPECT_FALSE(parse_toml(std::string(letter) + " = 1", "x"));
        EXPECT_TRUE(parse_toml("a = \"" + std::string(letter) + "\"", "x"));
    }
}

TEST(Value, dates_become_text) {
    auto const value = parse_toml("when = 2024-02-29T12:00:00Z\n", "test.toml").value();
    EXPECT_EQ(*value.find("when")->get_if<std::string>(), "2024-02-29T12:00:00Z");
}

TEST(Value, toml_is_written_scalars_first_with_keys_and_texts_quoted_where_needed) {
    Value::Object inner{{"x", Value(std::int64_t{-1})}, {"gone", Value()}};
    Value::Object object{{"table", Value(inner)},
                         {"a b", Value(std::string("line\n\"q\" \\ \x01é"))},
                         {"list", Value(Value::Array{Value(inner), Value(Value::Object{})})},
                         {"mixed", Value(Value::Array{Value(inner), Value(2.0)})},
                         {"nothing", Value(Value::Array{})}};
    EXPECT_EQ(format_toml(Value(object)).value(), R"("a b" = "line\n\"q\" \\ \u0001é"
mixed = [{x = -1}, 2.0]
nothing = []

[table]
x = -1

[[list]]
x = -1

[[list]]
)");
}

TEST(Value, toml_dates_and_times_become_texts) {
    auto const value = parse_toml("a = 1979-05-27\nb = 07:32:00.125\nc = 1979-05-27T00:32:00-07:30\n"
                                  "d = 1979-05-27 07:32:00\n",
                                  "test.toml")
                           .value();
    EXPECT_EQ(format_json(value), R"({"a":"1979-05-27","b":"07:32:00.125","c":"1979-05-27T00:32:00-07:30",)"
                                  R"("d":"1979-05-27T07:32:00"})");
}

TEST(Value, only_tables_are_toml) {
    EXPECT_EQ(format_toml(Value(std::int64_t{1})).error().message(),
              "only a table can be written as TOML, not an integer");
    Value::Object object;
    object.emplace_back("list", Value(Value::Array{Value()}));
    EXPECT_FALSE(format_toml(Value(object)));
}

} // namespace
} // namespace sinew
