/// The socket on which a program says that it is ready.
#include <sinew/base/process.hpp>
#include <sinew/device/notify_socket.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <string>

namespace sinew::device {
namespace {

TEST(Notification, it_comes_by_the_name_that_the_program_is_told) {
    auto const listener = NotifySocket::create().value();
    FileDescriptor const sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto const& name = listener.name();
    ASSERT_EQ(name.front(), '@');
    name.copy(address.sun_path, name.size());
    address.sun_path[0] = '\0';
    auto const length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    std::string const text = "READY=1";
    ASSERT_EQ(
        ::sendto(sender.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&address), length),
        static_cast<ssize_t>(text.size()));
    std::array<char, 64> received{};
    ASSERT_EQ(::recv(listener.socket().get(), received.data(), received.size(), 0),
              static_cast<ssize_t>(text.size()));
    EXPECT_EQ(std::string(received.data()), text);
}

TEST(Notification, only_a_whole_line_ready_1_counts) {
    EXPECT_TRUE(says_ready("READY=1"));
    EXPECT_TRUE(says_ready("STATUS=up\nREADY=1\nMAINPID=4\n"));
    for (auto const* text : {"", "\n", "READY=0", "READY=10", "XREADY=1", "STATUS=READY=1", "READY=1 "}) {
        EXPECT_FALSE(says_ready(text)) << text;
    }
}

TEST(Notification, a_life_sign_may_come_with_others) {
    EXPECT_TRUE(says_alive("READY=1\nWATCHDOG=1"));
    EXPECT_FALSE(says_alive("READY=1"));
    EXPECT_FALSE(says_alive("WATCHDOG=trigger"));
}

} // namespace
} // namespace sinew::device
