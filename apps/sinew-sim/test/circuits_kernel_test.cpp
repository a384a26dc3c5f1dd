// libs/circuits against a real kernel: run inside a virtual machine by test/system/test_gpio_guest.py, as
// root, with the modules uhid, hid-cp2112 and i2c-dev loaded. The other side is sinew-sim, which this program
// starts: what it says of a line is what the kernel's driver did to the hardware.
//
//     circuits_kernel_test PATH_OF_SINEW_SIM
#include "client.hpp"
#include "protocol.hpp"

#include <sinew/base/clock.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/circuits.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <poll.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace sinew::circuits;
using sinew::ErrorCode;
using sinew::sim::Client;
using sinew::sim::Reply;
using sinew::sim::Request;
using sinew::sim::Verb;
using ::testing::HasSubstr;

std::string g_simulator_path; // NOLINT: set once by main().
std::filesystem::path const socket_path = "/tmp/sinew-sim.sock";
constexpr auto patience = 5min; // Only ends a test that hangs.
constexpr int patience_ms = 300'000;

/// The running sinew-sim.
class Simulator {
public:
    Simulator() {
        std::array<std::string, 5> arguments{g_simulator_path, "serve", "--pairs", "--socket",
                                             socket_path.string()};
        std::vector<char*> pointers;
        for (std::string& argument : arguments) {
            pointers.push_back(argument.data());
        }
        pointers.push_back(nullptr);
        EXPECT_EQ(::posix_spawn(&m_pid, g_simulator_path.c_str(), nullptr, nullptr, pointers.data(), environ),
                  0);
        wait_for_socket();
    }
    Simulator(Simulator const&) = delete;
    Simulator& operator=(Simulator const&) = delete;
    ~Simulator() { stop(); }

    void stop() {
        if (m_pid > 0) {
            ::kill(m_pid, SIGINT);
            ::waitpid(m_pid, nullptr, 0);
            m_pid = -1;
        }
    }

    static int value(std::string const& line) {
        return ask({.command = Verb::get, .line = line, .value = {}, .celsius = {}}).lines.at(0).value;
    }
    /// How often the driver has looked at its inputs.
    static std::int64_t looks() {
        return ask({.command = Verb::list, .line = {}, .value = {}, .celsius = {}}).looks.value();
    }
    static void set(std::string const& line, int value) {
        ask({.command = Verb::set, .line = line, .value = value, .celsius = {}});
    }
    static void release(std::string const& line) {
        ask({.command = Verb::release, .line = line, .value = {}, .celsius = {}});
    }
    static void set_temperature(double celsius) {
        ask({.command = Verb::temperature, .line = {}, .value = {}, .celsius = celsius});
    }

private:
    static Reply ask(Request const& request) {
        auto client = Client::connect(socket_path);
        EXPECT_TRUE(client) << client.error().message();
        auto reply = client->ask(request, patience);
        EXPECT_TRUE(reply) << reply.error().message();
        return reply ? *std::move(reply) : Reply{};
    }
    /// Its socket appears when it is ready.
    static void wait_for_socket() {
        sinew::FileDescriptor const changes(::inotify_init1(IN_CLOEXEC));
        ASSERT_GE(::inotify_add_watch(changes.get(), socket_path.parent_path().c_str(), IN_CREATE), 0);
        while (!std::filesystem::exists(socket_path)) {
            pollfd waiting{.fd = changes.get(), .events = POLLIN, .revents = 0};
            ASSERT_EQ(::poll(&waiting, 1, patience_ms), 1) << "sinew-sim did not become ready";
            std::array<char, 4096> ignored{};
            ASSERT_GT(::read(changes.get(), ignored.data(), ignored.size()), 0);
        }
    }
    pid_t m_pid = -1;
};

class CircuitsKernelTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { simulator.emplace(); }
    static void TearDownTestSuite() { simulator.reset(); }

    /// Waits for `count` edges.
    static std::vector<EdgeEvent> edges_of(Gpio& line, std::size_t count) {
        std::vector<EdgeEvent> seen;
        while (seen.size() < count) {
            pollfd waiting{.fd = line.edge_descriptor(), .events = POLLIN, .revents = 0};
            if (::poll(&waiting, 1, patience_ms) != 1) {
                break;
            }
            auto const edges = line.read_edges();
            EXPECT_TRUE(edges) << edges.error().message();
            seen.insert(seen.end(), edges->begin(), edges->end());
        }
        return seen;
    }
    /// Until the driver, which polls its inputs, has seen what they are now: at its second look from now on it
    /// is done with the first.
    static void let_the_driver_poll() {
        auto const seen = Simulator::looks() + 2;
        while (Simulator::looks() < seen) {
            std::this_thread::yield();
        }
    }

    static inline std::optional<Simulator> simulator; // NOLINT: the suite's.
    KernelBoard board{{{"LED0", "cp2112_gpio:0"}, {"BUTTON", "cp2112_gpio:4"}}};
    sinew::SystemClock clock;
};

TEST_F(CircuitsKernelTest, the_simulated_chip_is_found) {
    auto const led = board.find_line("LED0");
    ASSERT_TRUE(led) << led.error().message();
    EXPECT_EQ(led->chip_label, "cp2112_gpio");
    EXPECT_FALSE(led->used);
    auto const by_chip = board.find_line(led->chip + ":7");
    ASSERT_TRUE(by_chip) << by_chip.error().message();
    EXPECT_EQ(by_chip->offset, 7U);
}

TEST_F(CircuitsKernelTest, an_output_reaches_the_hardware) {
    auto led = board.open_gpio("LED0", {.direction = Direction::output, .initial_value = true});
    ASSERT_TRUE(led) << led.error().message();
    EXPECT_EQ(Simulator::value("0"), 1);
    ASSERT_TRUE(led->write(false));
    EXPECT_EQ(Simulator::value("0"), 0);
    ASSERT_TRUE(led->write(true));
    EXPECT_EQ(Simulator::value("0"), 1);
    EXPECT_TRUE(led->read().value());
}

TEST_F(CircuitsKernelTest, polarity_and_open_drain_are_the_kernels_doing) {
    {
        auto led = board.open_gpio(
            "LED0",
            {.direction = Direction::output, .initial_value = true, .polarity = Polarity::active_low});
        ASSERT_TRUE(led) << led.error().message();
        EXPECT_EQ(Simulator::value("0"), 0);
    }
    auto line = board.open_gpio(
        "cp2112_gpio:6", {.direction = Direction::output, .initial_value = true, .drive = Drive::open_drain});
    ASSERT_TRUE(line) << line.error().message();
    Simulator::set("6", 0);
    EXPECT_FALSE(line->read().value());
    Simulator::set("6", 1);
    EXPECT_TRUE(line->read().value());
    Simulator::release("6");
}

TEST_F(CircuitsKernelTest, an_input_follows_the_hardware) {
    auto button = board.open_gpio("BUTTON");
    ASSERT_TRUE(button) << button.error().message();
    Simulator::set("4", 1);
    EXPECT_TRUE(button->read().value());
    Simulator::set("4", 0);
    EXPECT_FALSE(button->read().value());
}

TEST_F(CircuitsKernelTest, a_paired_line_loops_back) {
    auto output = board.open_gpio("cp2112_gpio:2", {.direction = Direction::output});
    auto input = board.open_gpio("cp2112_gpio:3");
    ASSERT_TRUE(output && input);
    EXPECT_FALSE(input->read().value());
    ASSERT_TRUE(output->write(true));
    EXPECT_TRUE(input->read().value());
}

TEST_F(CircuitsKernelTest, edges_come_with_monotonic_time_and_numbers) {
    Simulator::set("4", 0);
    auto button = board.open_gpio("BUTTON", {.edges = Edges::both});
    ASSERT_TRUE(button) << button.error().message();
    let_the_driver_poll();
    auto const before = clock.now();
    Simulator::set("4", 1);
    auto const rising = edges_of(*button, 1);
    Simulator::set("4", 0);
    auto const falling = edges_of(*button, 1);
    auto const after = clock.now();
    ASSERT_EQ(rising.size(), 1U);
    ASSERT_EQ(falling.size(), 1U);
    EXPECT_TRUE(rising[0].value);
    EXPECT_FALSE(falling[0].value);
    EXPECT_EQ(rising[0].sequence + 1, falling[0].sequence);
    EXPECT_EQ(falling[0].missed, 0U);
    EXPECT_LE(before, rising[0].timestamp);
    EXPECT_LT(rising[0].timestamp, falling[0].timestamp);
    EXPECT_LE(falling[0].timestamp, after);
}

TEST_F(CircuitsKernelTest, edges_come_again_after_the_line_was_closed_and_opened) {
    Simulator::set("4", 0);
    for (int round = 0; round < 2; ++round) {
        auto button = board.open_gpio("BUTTON", {.edges = Edges::falling});
        ASSERT_TRUE(button) << button.error().message();
        let_the_driver_poll();
        Simulator::set("4", 1);
        let_the_driver_poll();
        Simulator::set("4", 0);
        auto const edges = edges_of(*button, 1);
        ASSERT_EQ(edges.size(), 1U) << "round " << round;
        EXPECT_FALSE(edges[0].value);
        EXPECT_EQ(edges[0].sequence, 1U);
    }
}

TEST_F(CircuitsKernelTest, edges_that_nobody_read_are_reported_as_missed) {
    Simulator::set("4", 0);
    auto button = board.open_gpio("BUTTON", {.edges = Edges::both, .event_buffer = 2});
    ASSERT_TRUE(button) << button.error().message();
    let_the_driver_poll();
    for (int i = 0; i < 6; ++i) {
        Simulator::set("4", i % 2 == 0 ? 1 : 0);
        let_the_driver_poll();
    }
    auto const edges = button->read_edges();
    ASSERT_TRUE(edges) << edges.error().message();
    ASSERT_EQ(edges->size(), 2U);
    EXPECT_EQ(edges->back().sequence, 6U);
    EXPECT_EQ(edges->front().missed, 4U);
}

TEST_F(CircuitsKernelTest, debounce_works_although_the_kernel_refuses_it_for_this_chip) {
    // On a machine that is too slow to bounce faster than that, a longer time is tried.
    for (std::chrono::milliseconds stable = 300ms;; stable *= 2) {
        Simulator::set("4", 0);
        auto button = board.open_gpio("BUTTON", {.edges = Edges::both, .debounce = stable});
        ASSERT_TRUE(button) << button.error().message();
        let_the_driver_poll();
        auto const first = clock.now();
        Simulator::set("4", 1);
        let_the_driver_poll();
        Simulator::set("4", 0);
        let_the_driver_poll();
        auto const pressed = clock.now();
        Simulator::set("4", 1);
        let_the_driver_poll();
        if (clock.now() - first >= stable && stable < 1min) {
            continue;
        }
        auto const edges = edges_of(*button, 1);
        ASSERT_EQ(edges.size(), 1U);
        EXPECT_TRUE(edges[0].value);
        EXPECT_EQ(edges[0].sequence, 1U);
        EXPECT_GE(edges[0].timestamp - pressed, stable);
        EXPECT_TRUE(button->read().value());
        return;
    }
}

TEST_F(CircuitsKernelTest, a_held_line_names_the_kernels_consumer_label) {
    auto const held = board.open_gpio("LED0", {.direction = Direction::output, .consumer = "status-led"});
    ASSERT_TRUE(held) << held.error().message();
    auto const second = board.open_gpio("LED0", {.direction = Direction::output});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::unavailable);
    EXPECT_EQ(second.error().sys_errno(), EBUSY);
    EXPECT_THAT(second.error().message(), HasSubstr("held by 'status-led'"));
    EXPECT_TRUE(board.find_line("LED0")->used);
}

TEST_F(CircuitsKernelTest, what_can_not_be_is_refused_with_a_reason) {
    auto const beyond = board.open_gpio("cp2112_gpio:8");
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().code(), ErrorCode::not_found);
    auto const unknown = board.open_gpio("LED9");
    ASSERT_FALSE(unknown);
    EXPECT_THAT(unknown.error().message(), HasSubstr("(cp2112_gpio, lines 0 to 7)"));
    auto button = board.open_gpio("BUTTON");
    ASSERT_TRUE(button) << button.error().message();
    EXPECT_EQ(button->write(true).error().code(), ErrorCode::invalid_argument);
}

TEST_F(CircuitsKernelTest, a_line_changes_direction_while_held) {
    auto line = board.open_gpio("cp2112_gpio:5");
    ASSERT_TRUE(line) << line.error().message();
    auto const changed = line->configure({.direction = Direction::output, .initial_value = true});
    ASSERT_TRUE(changed) << changed.error().message();
    EXPECT_EQ(Simulator::value("5"), 1);
    ASSERT_TRUE(line->write(false));
    EXPECT_EQ(Simulator::value("5"), 0);
    ASSERT_TRUE(line->configure({}));
}

TEST_F(CircuitsKernelTest, edges_can_be_turned_on_while_held) {
    Simulator::set("4", 0);
    auto button = board.open_gpio("BUTTON");
    ASSERT_TRUE(button) << button.error().message();
    ASSERT_TRUE(button->configure({.edges = Edges::both}));
    let_the_driver_poll();
    Simulator::set("4", 1);
    EXPECT_EQ(edges_of(*button, 1).size(), 1U);
}

/// One combined write and read on the adapter of the simulated chip.
std::vector<std::uint8_t> transfer(std::uint16_t address, std::vector<std::uint8_t> written,
                                   std::uint16_t read_size) {
    std::vector<std::uint8_t> read(read_size);
    for (auto const& entry : std::filesystem::directory_iterator("/sys/class/i2c-dev")) {
        std::string name;
        std::ifstream(entry.path() / "name") >> name;
        if (name != "CP2112") {
            continue;
        }
        sinew::FileDescriptor const bus(
            ::open(("/dev" / entry.path().filename()).c_str(), O_RDWR | O_CLOEXEC));
        std::array<i2c_msg, 2> messages{
            i2c_msg{.addr = address,
                    .flags = 0,
                    .len = static_cast<std::uint16_t>(written.size()),
                    .buf = written.data()},
            i2c_msg{.addr = address, .flags = I2C_M_RD, .len = read_size, .buf = read.data()}};
        i2c_rdwr_ioctl_data work{.msgs = messages.data(), .nmsgs = read_size == 0 ? 1U : 2U};
        EXPECT_GE(::ioctl(bus.get(), I2C_RDWR, &work), 0) << errno;
        return read;
    }
    ADD_FAILURE() << "no I2C adapter of a CP2112";
    return {};
}

TEST_F(CircuitsKernelTest, the_i2c_adapter_reaches_the_eeprom_and_the_sensor) {
    transfer(0x50, {0x10, 'S', 'i', 'n', 'e', 'w'}, 0);
    EXPECT_THAT(transfer(0x50, {0x11}, 3), ::testing::ElementsAre('i', 'n', 'e'));
    Simulator::set_temperature(-10.5);
    EXPECT_THAT(transfer(0x48, {0x00}, 2), ::testing::ElementsAre(0xf5, 0x80));
    EXPECT_EQ(transfer(0x50, {0x00}, 200).size(), 200U);
}

TEST_F(CircuitsKernelTest, the_rate_of_writes_is_measured) {
    auto led = board.open_gpio("LED0", {.direction = Direction::output});
    ASSERT_TRUE(led) << led.error().message();
    constexpr int writes = 2000;
    auto const start = clock.now();
    for (int i = 0; i < writes; ++i) {
        ASSERT_TRUE(led->write(i % 2 == 0));
    }
    std::chrono::duration<double> const took = clock.now() - start;
    std::printf("GPIO write rate: %.0f writes/s through hid-cp2112, uhid and sinew-sim\n",
                writes / took.count());
}

TEST_F(CircuitsKernelTest, a_chip_that_goes_away_is_told_and_comes_back) {
    auto button = board.open_gpio("BUTTON", {.edges = Edges::both});
    ASSERT_TRUE(button) << button.error().message();
    simulator->stop();
    auto const value = button->read();
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().code(), ErrorCode::unavailable) << value.error().message();
    EXPECT_FALSE(board.open_gpio("BUTTON"));
    EXPECT_FALSE(std::filesystem::exists(socket_path));
    simulator.emplace();
    EXPECT_TRUE(board.open_gpio("BUTTON"));
}

} // namespace

int main(int argc, char** argv) {
    ::testing::InitGoogleMock(&argc, argv);
    if (argc != 2) {
        std::fputs("circuits_kernel_test PATH_OF_SINEW_SIM: to be run in a virtual machine\n", stderr);
        return 2;
    }
    g_simulator_path = argv[1];
    return RUN_ALL_TESTS();
}
