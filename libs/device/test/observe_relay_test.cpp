// The device's end of `sinew observe --device`: what SSH's standard input and output are connected to.
#include <sinew/base/file.hpp>
#include <sinew/device/observe_relay.hpp>
#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <thread>

namespace sinew::device {
namespace {

using ::testing::HasSubstr;

TEST(ObserveRelay, carries_questions_and_answers_until_the_client_ends) {
    auto const directory = TemporaryDirectory::create().value();
    auto const path = directory.path() / "sockets" / "app.1.sock";
    log::Logger logger({.fallback = nullptr});
    Node node({.workers = 1, .log = &logger});
    ASSERT_TRUE(node.start<observe::Server>(
        {}, observe::ServerOptions{.path = path, .application = "app", .version = "1"}));
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    FileDescriptor client(ends[0]);
    FileDescriptor const device(ends[1]);
    Result<> relayed;
    std::thread relay_thread([&] { relayed = relay(device.get(), device.get(), path); });
    std::string_view const question = "{\"operation\":\"snapshot\"}\n";
    EXPECT_EQ(::write(client.get(), question.data(), question.size()), static_cast<ssize_t>(question.size()));
    std::string answer;
    while (!answer.ends_with('\n')) {
        std::array<char, 4096> bytes{};
        ssize_t const count = ::read(client.get(), bytes.data(), bytes.size());
        ASSERT_GT(count, 0);
        answer.append(bytes.data(), static_cast<std::size_t>(count));
    }
    client.close();
    relay_thread.join();
    EXPECT_THAT(answer, HasSubstr("\"application\":\"app\""));
    EXPECT_TRUE(relayed);
}

TEST(ObserveRelay, says_when_nobody_serves_the_socket) {
    EXPECT_FALSE(relay_observer("/nowhere/app.sock"));
    EXPECT_THAT(relay_observer("no-such-application").error().message(), HasSubstr("running"));
}

} // namespace
} // namespace sinew::device
