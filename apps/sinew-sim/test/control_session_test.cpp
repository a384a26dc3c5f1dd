// A client's conversation with the virtual board, without a socket.
#include "control_session.hpp"
#include "virtual_board.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

namespace sinew::sim {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ControlSessionTest : public ::testing::Test {
protected:
    VirtualBoard board{{.wiring = Wiring::none, .names = {{"LED0", 4}}}};
    ControlSession session{board};

    std::string say(std::string const& text) {
        session.receive(text);
        return hear();
    }
    std::string hear() {
        std::string heard(session.waiting());
        session.sent(heard.size());
        return heard;
    }
    void kernel_sets(int line, bool level) {
        auto const mask = static_cast<std::byte>(1U << static_cast<unsigned>(line));
        ASSERT_TRUE(board.chip().set_feature(Bytes{std::byte{2}, mask, std::byte{0xff}, {}, {}}));
        ASSERT_TRUE(board.chip().set_feature(Bytes{std::byte{4}, level ? mask : std::byte{0}, mask}));
    }
};

TEST_F(ControlSessionTest, get_shows_what_the_kernel_wrote) {
    kernel_sets(4, true);
    EXPECT_THAT(say("{\"command\":\"get\",\"line\":\"LED0\"}\n"),
                HasSubstr(R"({"line":4,"name":"LED0","direction":"output","value":1,"driven":false,)"));
    EXPECT_THAT(say("{\"command\":\"get\",\"line\":\"cp2112_gpio:4\"}\n"), HasSubstr(R"("value":1)"));
}

TEST_F(ControlSessionTest, a_line_tells_how_often_and_when_first_it_changed) {
    EXPECT_EQ(board.state(4).changes, 0);
    EXPECT_EQ(board.state(4).first_change_ns, std::nullopt);
    kernel_sets(4, true);
    EXPECT_EQ(board.take_changes(MonotonicTime(7ms)), 0x10);
    EXPECT_EQ(board.take_changes(MonotonicTime(8ms)), 0);
    kernel_sets(4, false);
    EXPECT_EQ(board.take_changes(MonotonicTime(9ms)), 0x10);
    EXPECT_THAT(say("{\"command\":\"get\",\"line\":\"4\"}\n"),
                HasSubstr(R"("changes":2,"first_change_ns":7000000)"));
}

TEST_F(ControlSessionTest, set_drives_an_input_until_release) {
    EXPECT_THAT(say("{\"command\":\"set\",\"line\":\"5\",\"value\":1}\n"), StartsWith(R"({"ok":true)"));
    EXPECT_EQ(board.chip().get_feature(3)->at(1), std::byte{0x20});
    EXPECT_THAT(say("{\"command\":\"release\",\"line\":\"5\"}\n"), StartsWith(R"({"ok":true)"));
    EXPECT_EQ(board.chip().get_feature(3)->at(1), std::byte{0});
}

TEST_F(ControlSessionTest, set_of_an_output_is_refused_with_the_reason) {
    kernel_sets(4, false);
    auto const heard = say("{\"command\":\"set\",\"line\":\"4\",\"value\":1}\n");
    EXPECT_THAT(heard, StartsWith(R"({"ok":false)"));
    EXPECT_THAT(heard, HasSubstr("the kernel drives it as an output"));
}

TEST_F(ControlSessionTest, list_shows_all_lines_and_the_temperature) {
    EXPECT_THAT(say("{\"command\":\"temperature\",\"celsius\":-3.5}\n"), HasSubstr("-3.5"));
    auto const heard = say("{\"command\":\"list\"}\n");
    EXPECT_THAT(heard, HasSubstr(R"("line":7)"));
    EXPECT_THAT(heard, HasSubstr("-3.5"));
    EXPECT_THAT(say("{\"command\":\"temperature\",\"celsius\":1000}\n"), HasSubstr("-55 to 127.9375"));
}

TEST_F(ControlSessionTest, an_unknown_line_and_a_broken_request_are_answered_and_the_session_goes_on) {
    for (std::string const line : {"8", "", "-1", "cp2112_gpio:", "LED1", "4x"}) {
        EXPECT_THAT(say("{\"command\":\"get\",\"line\":\"" + line + "\"}\n"), HasSubstr("there is no line"));
    }
    EXPECT_THAT(say("nonsense\n"), StartsWith(R"({"ok":false)"));
    EXPECT_FALSE(session.is_over());
    EXPECT_THAT(say("{\"command\":\"get\",\"line\":\"0\"}\n"), StartsWith(R"({"ok":true)"));
}

TEST_F(ControlSessionTest, a_watcher_hears_its_lines_with_time_and_number) {
    EXPECT_THAT(say("{\"command\":\"watch\",\"line\":\"LED0\"}\n"), StartsWith(R"({"ok":true)"));
    kernel_sets(4, true);
    session.level_changed(4, MonotonicTime(Duration(1500)));
    session.level_changed(5, MonotonicTime(Duration(1600)));
    EXPECT_EQ(hear(),
              "{\"event\":\"level\",\"line\":4,\"name\":\"LED0\",\"value\":1,\"time_ns\":1500,\"sequence\":1,"
              "\"missed\":0}\n");
}

TEST_F(ControlSessionTest, a_watch_without_a_line_is_all_lines) {
    (void)say("{\"command\":\"watch\"}\n");
    session.level_changed(0, MonotonicTime());
    session.level_changed(7, MonotonicTime());
    EXPECT_THAT(hear(), HasSubstr(R"("sequence":2)"));
}

TEST_F(ControlSessionTest, a_watcher_that_does_not_read_loses_events_and_is_told_how_many) {
    (void)say("{\"command\":\"watch\",\"line\":\"4\"}\n");
    for (int i = 0; i < 2000; ++i) {
        session.level_changed(4, MonotonicTime());
    }
    EXPECT_LE(session.waiting().size(), ControlSession::most_waiting_bytes);
    (void)hear();
    session.level_changed(4, MonotonicTime());
    auto const heard = hear();
    EXPECT_THAT(heard, HasSubstr(R"("sequence":2001)"));
    EXPECT_THAT(heard, ::testing::Not(HasSubstr(R"("missed":0)")));
    EXPECT_FALSE(session.is_over());
}

TEST_F(ControlSessionTest, a_client_that_asks_and_does_not_read_is_hung_up_on) {
    for (int i = 0; i < 2000 && !session.is_over(); ++i) {
        session.receive("{\"command\":\"list\"}\n");
    }
    EXPECT_TRUE(session.is_over());
    EXPECT_LE(session.waiting().size(), ControlSession::most_waiting_bytes);
}

TEST_F(ControlSessionTest, a_line_without_end_is_hung_up_on) {
    EXPECT_THAT(say(std::string(5000, 'x')), HasSubstr("4096"));
    EXPECT_TRUE(session.is_over());
}

} // namespace
} // namespace sinew::sim
