// The whole server over real sockets, with this test as the kernel on the other side of the uhid device.
#include "client.hpp"
#include "protocol.hpp"
#include "simulator.hpp"
#include "uhid.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/unix_socket.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/uhid.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <future>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace sinew::sim {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class SimulatorTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::array<int, 2> ends{};
        // Like the device, it keeps messages apart.
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()), 0);
        kernel = FileDescriptor(ends[0]);
        auto made =
            Simulator::create(FileDescriptor(ends[1]), {.socket_path = socket_path(), .board = {}}, clock);
        ASSERT_TRUE(made) << made.error().message();
        simulator = std::move(*made);
        creation = hear();
    }
    [[nodiscard]] std::filesystem::path socket_path() const { return folder->path() / "sim.sock"; }

    void tell(uhid_event const& event) {
        ASSERT_TRUE(write_all(kernel, std::as_bytes(std::span(&event, 1))));
        auto const stepped = simulator->step(1s);
        ASSERT_TRUE(stepped) << stepped.error().message();
    }
    uhid_event hear() {
        std::array<std::byte, sizeof(uhid_event)> buffer{};
        uhid_event event{};
        auto const size = read_some(kernel, buffer);
        EXPECT_TRUE(size);
        std::memcpy(&event, buffer.data(), size.value_or(0));
        return event;
    }
    uhid_event ask_report(std::uint8_t number) {
        uhid_event event{};
        event.type = UHID_GET_REPORT;
        event.u.get_report = {.id = 77, .rnum = number, .rtype = UHID_FEATURE_REPORT};
        tell(event);
        return hear();
    }
    uhid_event set_report(std::initializer_list<std::uint8_t> report) {
        uhid_event event{};
        event.type = UHID_SET_REPORT;
        event.u.set_report.id = 78;
        event.u.set_report.size = static_cast<std::uint16_t>(report.size());
        std::copy(report.begin(), report.end(), event.u.set_report.data);
        tell(event);
        return hear();
    }
    void start_driver() { ASSERT_EQ(ask_report(0x20).u.get_report_reply.err, 0); }
    /// Lets a client talk while the simulator goes round its loop.
    template<typename Talk>
    auto while_serving(Talk talk) {
        auto result = std::async(std::launch::async, std::move(talk));
        while (result.wait_for(0s) != std::future_status::ready) {
            EXPECT_TRUE(simulator->step(1ms));
        }
        return result.get();
    }

    Result<TemporaryDirectory> folder = TemporaryDirectory::create();
    ManualClock clock;
    FileDescriptor kernel;
    std::unique_ptr<Simulator> simulator;
    uhid_event creation{};
};

TEST_F(SimulatorTest, it_introduces_itself_as_a_cp2112_on_usb) {
    EXPECT_EQ(creation.type, UHID_CREATE2);
    EXPECT_EQ(creation.u.create2.vendor, 0x10c4);
    EXPECT_EQ(creation.u.create2.product, 0xea90);
    EXPECT_EQ(creation.u.create2.bus, 3);
    EXPECT_GT(creation.u.create2.rd_size, 100);
}

TEST_F(SimulatorTest, the_socket_appears_when_the_driver_is_up) {
    EXPECT_EQ(ask_report(0x05).u.get_report_reply.size, 3);
    EXPECT_FALSE(simulator->is_ready());
    EXPECT_FALSE(std::filesystem::exists(socket_path()));
    start_driver();
    EXPECT_TRUE(simulator->is_ready());
    EXPECT_EQ(std::filesystem::status(socket_path()).permissions(), std::filesystem::perms(0600));
    simulator.reset();
    EXPECT_FALSE(std::filesystem::exists(socket_path()));
}

TEST_F(SimulatorTest, reports_are_answered_with_the_id_they_were_asked_with) {
    auto const version = ask_report(0x05);
    EXPECT_EQ(version.type, UHID_GET_REPORT_REPLY);
    EXPECT_EQ(version.u.get_report_reply.id, 77U);
    EXPECT_EQ(version.u.get_report_reply.data[1], 0x0c);
    EXPECT_NE(ask_report(0x7f).u.get_report_reply.err, 0);
    auto const taken = set_report({0x02, 0x01, 0xff, 0x00, 0x00});
    EXPECT_EQ(taken.type, UHID_SET_REPORT_REPLY);
    EXPECT_EQ(taken.u.set_report_reply.id, 78U);
    EXPECT_EQ(taken.u.set_report_reply.err, 0);
    EXPECT_NE(set_report({0x02}).u.set_report_reply.err, 0);
}

TEST_F(SimulatorTest, it_knows_when_the_kernel_asked_last) {
    EXPECT_FALSE(simulator->was_asked_within(1h));
    clock.advance(1s);
    start_driver();
    clock.advance(250ms);
    EXPECT_TRUE(simulator->was_asked_within(250ms));
    clock.advance(1ms);
    EXPECT_FALSE(simulator->was_asked_within(250ms));
}

TEST_F(SimulatorTest, an_i2c_transfer_is_answered_with_input_reports) {
    uhid_event event{};
    event.type = UHID_OUTPUT;
    event.u.output.data[0] = 0x15;
    event.u.output.data[1] = 0x01;
    event.u.output.size = 2;
    tell(event);
    auto const status = hear();
    EXPECT_EQ(status.type, UHID_INPUT2);
    EXPECT_EQ(status.u.input2.size, 64);
    EXPECT_EQ(status.u.input2.data[0], 0x16);
}

TEST_F(SimulatorTest, a_client_sees_what_the_kernel_wrote_and_the_kernel_what_the_client_set) {
    start_driver();
    set_report({0x02, 0x01, 0xff, 0x00, 0x00});
    set_report({0x04, 0xff, 0x01});
    auto const got = while_serving([this]() -> Result<Reply> {
        TRY(auto client, Client::connect(socket_path()));
        TRY_OK(client.ask({.command = Verb::set, .line = "5", .value = 1, .celsius = {}}, 5s));
        return client.ask({.command = Verb::get, .line = "0", .value = {}, .celsius = {}}, 5s);
    });
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(got->lines.at(0).value, 1);
    EXPECT_EQ(ask_report(0x03).u.get_report_reply.data[1], 0x21);
}

TEST_F(SimulatorTest, a_watcher_hears_the_kernels_writes) {
    start_driver();
    set_report({0x02, 0x01, 0xff, 0x00, 0x00});
    auto client = while_serving([this]() -> Result<Client> {
        TRY(auto connected, Client::connect(socket_path()));
        TRY_OK(connected.ask({.command = Verb::watch, .line = "0", .value = {}, .celsius = {}}, 5s));
        return connected;
    });
    ASSERT_TRUE(client) << client.error().message();
    set_report({0x04, 0xff, 0x01});
    auto const event = while_serving([&] { return client->next_event(5s); });
    ASSERT_TRUE(event) << event.error().message();
    EXPECT_EQ(event->value, 1);
    EXPECT_EQ(event->time_ns, clock.now().time_since_epoch().count());
}

TEST_F(SimulatorTest, an_error_of_the_server_is_the_clients_error) {
    start_driver();
    auto const got = while_serving([this]() -> Result<Reply> {
        TRY(auto client, Client::connect(socket_path()));
        return client.ask({.command = Verb::get, .line = "9", .value = {}, .celsius = {}}, 5s);
    });
    ASSERT_FALSE(got);
    EXPECT_THAT(got.error().message(), HasSubstr("there is no line '9'"));
}

TEST_F(SimulatorTest, a_second_simulator_does_not_take_the_socket) {
    start_driver();
    auto const second = listen_on_unix_socket(socket_path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::exists);
}

TEST_F(SimulatorTest, a_socket_left_by_a_killed_one_is_replaced) {
    {
        auto const killed = listen_on_unix_socket(socket_path());
    }
    ASSERT_TRUE(std::filesystem::exists(socket_path()));
    start_driver();
    EXPECT_TRUE(simulator->is_ready());
}

TEST_F(SimulatorTest, no_server_is_a_sentence_with_the_remedy) {
    auto const client = Client::connect(folder->path() / "nobody.sock");
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(client.error().message(), HasSubstr("sinew-sim serve"));
    EXPECT_EQ(Client::connect(std::string(200, 'x')).error().code(), ErrorCode::invalid_argument);
}

TEST_F(SimulatorTest, a_kernel_that_takes_the_device_away_ends_it) {
    kernel.close();
    EXPECT_EQ(simulator->step(1s).error().code(), ErrorCode::io);
}

TEST(UhidTest, sizes_that_lie_are_cut_and_short_events_refused) {
    uhid_event event{};
    event.type = UHID_OUTPUT;
    event.u.output.size = 65535;
    auto const decoded = decode_uhid_event(std::as_bytes(std::span(&event, 1)));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->report.size(), std::size_t{UHID_DATA_MAX});
    EXPECT_EQ(decode_uhid_event(std::as_bytes(std::span(&event, 1)).first(3)).error().code(),
              ErrorCode::protocol);
}

TEST(UhidTest, a_machine_without_uhid_is_told_how_to_get_it) {
    auto const opened = open_uhid("/nowhere/uhid");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(opened.error().message(), HasSubstr("modprobe uhid"));
}

} // namespace
} // namespace sinew::sim
