#include "tool_fixture.hpp"

#include <gmock/gmock.h>

namespace sinew::tooling {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ConsoleTest : public ToolFixture {};

TEST_F(ConsoleTest, paints_and_draws_only_where_it_was_told_to) {
    console().success("done");
    console().progress("writing", 1, 2);
    EXPECT_EQ(said(), "done\n");
    Console painting(output_stream(), diagnostics_stream(), {.colours = true, .progress = true});
    painting.success("done");
    painting.progress("writing", 1, 2);
    EXPECT_THAT(said(), HasSubstr("\033[32mdone\033[0m"));
    EXPECT_THAT(said(), HasSubstr("50%"));
}

TEST_F(ConsoleTest, is_quiet_about_everything_but_the_result_with_json) {
    Console scripted(output_stream(), diagnostics_stream(), {.json = true});
    scripted.say("for people");
    scripted.result(object({{"name", "blinky"}, {"size_bytes", 12u}, {"good", true}}));
    auto const parsed = parse_json(said(), "output");
    ASSERT_TRUE(parsed.has_value()) << said();
    EXPECT_EQ(*parsed->find("size_bytes")->get_if<std::int64_t>(), 12);
    EXPECT_THAT(said(), Not(HasSubstr("people")));
}

TEST_F(ConsoleTest, says_an_error_on_the_diagnostics_stream_and_as_json) {
    console().error(Error(ErrorCode::not_found, "no such thing"));
    EXPECT_EQ(warned(), "error: no such thing\n");
    EXPECT_EQ(said(), "");
    Console scripted(output_stream(), diagnostics_stream(), {.json = true});
    scripted.error(Error(ErrorCode::not_found, "no such thing"));
    EXPECT_THAT(said(), HasSubstr("\"not_found\""));
}

TEST_F(ConsoleTest, takes_the_progress_bar_away_before_it_says_something) {
    Console drawing(output_stream(), diagnostics_stream(), {.progress = true});
    drawing.progress("writing", 2, 2);
    drawing.say("done");
    EXPECT_TRUE(said().ends_with("\r\033[Kdone\n")) << said();
}

TEST(Sizes, are_shown_with_three_digits) {
    EXPECT_EQ(format_size(0), "0 B");
    EXPECT_EQ(format_size(999), "999 B");
    EXPECT_EQ(format_size(1000), "1.00 kB");
    EXPECT_EQ(format_size(12'340'000), "12.3 MB");
    EXPECT_EQ(format_size(999'600), "1.00 MB");
    EXPECT_EQ(format_size(31'900'000'000), "31.9 GB");
}

TEST(Sizes, are_read_with_a_unit) {
    EXPECT_EQ(*parse_size("1GiB"), 1ull << 30);
    EXPECT_EQ(*parse_size("512M"), 512ull << 20);
    EXPECT_EQ(*parse_size("2GB"), 2'000'000'000ull);
    EXPECT_EQ(*parse_size("4096"), 4096u);
    for (char const* bad : {"", "GiB", "1 GiB", "-1", "1.5GiB", "99999999999999999999", "99999999999GiB"}) {
        EXPECT_FALSE(parse_size(bad).has_value()) << bad;
    }
}

TEST(Durations, are_shown_for_people) {
    EXPECT_EQ(format_duration(std::chrono::milliseconds(230)), "230 ms");
    EXPECT_EQ(format_duration(std::chrono::milliseconds(4200)), "4.20 s");
    EXPECT_EQ(format_duration(std::chrono::seconds(125)), "2 min 5 s");
}

} // namespace
} // namespace sinew::tooling
