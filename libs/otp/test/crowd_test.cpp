// Processes that send faster than their receiver reads.
#include <sinew/otp.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <vector>

namespace sinew::testing {
namespace {

struct Item {
    std::size_t sender = 0;
    std::int64_t number = 0;
};
struct GoOn {};

/// A long mailbox is warned of; that is not the matter here.
class NoLog : public log::Sink {
public:
    void write(log::Event const& /*event*/) noexcept override {}
};

/// What the receiver saw.
struct Received {
    std::vector<std::int64_t> last;
    std::int64_t out_of_order = 0;
    std::size_t longest_mailbox = 0;
    std::int64_t left = 0;
    std::promise<void> all;
};

class Reader : public Server<Reader> {
public:
    explicit Reader(Received& received)
        : m_received(&received) {}
    void handle_info(Item item) {
        Received& received = *m_received;
        received.out_of_order += item.number == received.last[item.sender] + 1 ? 0 : 1;
        received.last[item.sender] = item.number;
        if (--received.left % 64 == 0) {
            received.longest_mailbox =
                std::max(received.longest_mailbox, process_info(self())->mailbox_length);
        }
        if (received.left == 0) {
            received.all.set_value();
        }
    }

private:
    Received* m_received;
};

constexpr std::int64_t burst = 100;

class Writer : public Server<Writer> {
public:
    Writer(ServerRef<Reader> reader, std::size_t number, std::int64_t count)
        : m_reader(reader)
        , m_number(number)
        , m_count(count) {}
    void handle_info(GoOn /*message*/) {
        for (std::int64_t i = 0; i < burst && m_sent < m_count; ++i) {
            send(m_reader, Item{m_number, ++m_sent});
        }
        if (m_sent < m_count) {
            send(self(), GoOn{});
        }
    }

private:
    ServerRef<Reader> m_reader;
    std::size_t m_number;
    std::int64_t m_count;
    std::int64_t m_sent = 0;
};

void flood(Received& received, unsigned workers, std::size_t writers, std::int64_t each) {
    received.last.resize(writers);
    received.left = static_cast<std::int64_t>(writers) * each;
    auto all = received.all.get_future();
    NoLog log;
    Node node{NodeOptions{.workers = workers, .log = &log}};
    auto const reader = node.start<Reader>({}, std::ref(received)).value();
    for (std::size_t i = 0; i < writers; ++i) {
        send(node.start<Writer>({}, reader, i, each).value(), GoOn{});
    }
    all.wait();
}

TEST(Crowds, a_receiver_reads_before_those_that_crowd_it_go_on) {
    constexpr std::size_t writers = 4;
    Received received;
    flood(received, 1, writers, 50'000);
    EXPECT_EQ(received.out_of_order, 0);
    // A run of theirs alone could send 25,600. Short of that: the reader's run ends early when time is up.
    EXPECT_LE(received.longest_mailbox, 16'000U) << "of 200,000 messages";
}

TEST(Crowds, senders_that_move_to_their_receiver_lose_nothing_and_keep_their_order) {
    for (int round = 0; round < 10; ++round) {
        Received received;
        flood(received, 2, 5, 10'000);
        EXPECT_EQ(received.out_of_order, 0);
        EXPECT_EQ(std::ranges::count(received.last, 10'000), 5);
    }
}

} // namespace
} // namespace sinew::testing
