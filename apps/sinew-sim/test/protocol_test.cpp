// The control protocol's lines.
#include "protocol.hpp"

#include <sinew/base/result.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <variant>

namespace sinew::sim {
namespace {

using ::testing::HasSubstr;

TEST(ProtocolTest, a_request_names_its_command_and_line) {
    auto const request = parse_request(R"({"command":"set","line":"LED0","value":1})");
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_EQ(request->command, Verb::set);
    EXPECT_EQ(request->line, "LED0");
    EXPECT_EQ(request->value, 1);
}

struct BadRequest {
    std::string text;
    std::string message;
};
class BadRequestTest : public ::testing::TestWithParam<BadRequest> {};

TEST_P(BadRequestTest, is_told_what_is_wrong) {
    auto const request = parse_request(GetParam().text);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(request.error().message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Requests, BadRequestTest,
    ::testing::Values(BadRequest{"", "request"}, BadRequest{"[]", "request"},
                      BadRequest{"{\"command\":", "request"},
                      BadRequest{R"({"command":"explode"})", "temperature"},
                      BadRequest{R"({"command":"get"})", "needs a line"},
                      BadRequest{R"({"command":"set","line":"1"})", "0 or 1"},
                      BadRequest{R"({"command":"set","line":"1","value":2})", "0 or 1"},
                      BadRequest{R"({"command":"get","line":"1","value":1})", "only set"},
                      BadRequest{R"({"command":"get","line":"1","celsius":1.5})", "only temperature"},
                      BadRequest{R"({"command":"get","lines":"1"})", "unknown key 'lines'"},
                      BadRequest{R"({"command":"get","line":1})", "line"},
                      BadRequest{std::string(5000, ' '), "4096"}));

TEST(ProtocolTest, replies_and_events_are_told_apart) {
    Reply const reply{.ok = true, .error = {}, .lines = {LineState{}}, .celsius = 21.5};
    auto message = parse_message(format_line(reply));
    ASSERT_TRUE(message) << message.error().message();
    ASSERT_TRUE(std::holds_alternative<Reply>(*message));
    EXPECT_EQ(std::get<Reply>(*message).lines.size(), 1U);

    LevelEvent event;
    event.line = 4;
    event.time_ns = 123456789012345;
    message = parse_message(format_line(event));
    ASSERT_TRUE(message) << message.error().message();
    ASSERT_TRUE(std::holds_alternative<LevelEvent>(*message));
    EXPECT_EQ(std::get<LevelEvent>(*message).time_ns, 123456789012345);

    EXPECT_EQ(parse_message("{}x").error().code(), ErrorCode::protocol);
    EXPECT_EQ(parse_message(R"({"event":7})").error().code(), ErrorCode::protocol);
    EXPECT_EQ(parse_message(R"({"hello":7})").error().code(), ErrorCode::protocol);
}

TEST(LineBufferTest, lines_come_out_whole_however_they_arrive) {
    LineBuffer buffer;
    ASSERT_TRUE(buffer.append("on"));
    EXPECT_EQ(buffer.next(), std::nullopt);
    ASSERT_TRUE(buffer.append("e\ntwo\n\nthr"));
    EXPECT_EQ(buffer.next(), "one");
    EXPECT_EQ(buffer.next(), "two");
    EXPECT_EQ(buffer.next(), "");
    EXPECT_EQ(buffer.next(), std::nullopt);
    ASSERT_TRUE(buffer.append("ee\n"));
    EXPECT_EQ(buffer.next(), "three");
}

TEST(LineBufferTest, a_line_without_end_is_refused) {
    LineBuffer buffer;
    ASSERT_TRUE(buffer.append(std::string(most_line_bytes, 'x')));
    EXPECT_FALSE(buffer.append("x"));
}

} // namespace
} // namespace sinew::sim
