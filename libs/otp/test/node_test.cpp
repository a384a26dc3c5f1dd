// Nodes with threads: descriptors, blocking work, idleness, stress of stealing, migration and exits.
#include "core/node_core.hpp"
#include "world.hpp"

#include <sinew/base/file.hpp>
#include <sinew/base/may_block.hpp>
#include <sinew/otp.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Unwatch {
    using Reply = void;
};

/// Reads one count of an eventfd for each FileReady.
class Reader : public Server<Reader> {
public:
    Reader(Journal& journal, int fd)
        : m_journal(&journal)
        , m_fd(fd) {}
    Result<> init() {
        TRY(m_watch, FileWatch::create(m_fd));
        return {};
    }
    void handle_info(FileReady ready) {
        std::uint64_t value = 0;
        (void)!read(ready.fd, &value, sizeof value);
        m_journal->add(std::to_string(value));
    }
    void handle_call(Unwatch /*request*/) { m_watch.close(); }

private:
    Journal* m_journal;
    int m_fd;
    FileWatch m_watch;
};

class Files : public WorldTest {
protected:
    static void add(FileDescriptor const& file, std::uint64_t value) {
        (void)!write(file.get(), &value, sizeof value);
    }
};
SINEW_IN_BOTH_WORLDS(Files);

TEST_P(Files, a_ready_descriptor_is_a_message_each_time) {
    FileDescriptor const file(eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE | EFD_NONBLOCK));
    ASSERT_TRUE(world.node().start<Reader>({}, std::ref(journal), file.get()));
    EXPECT_THAT(lines(), IsEmpty());
    add(file, 3);
    EXPECT_THAT(lines_once_there_are(3), ElementsAre("1", "1", "1"));
}

TEST_P(Files, after_close_no_message_comes) {
    FileDescriptor const file(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    auto const reader = world.node().start<Reader>({}, std::ref(journal), file.get()).value();
    ASSERT_TRUE(call(reader, Unwatch{}));
    add(file, 1);
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_P(Files, watches_end_with_their_process) {
    FileDescriptor const file(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    auto const reader = world.node().start<Reader>({}, std::ref(journal), file.get()).value();
    exit(reader, ExitReason::kill());
    world.settle();
    add(file, 1);
    EXPECT_THAT(lines(), IsEmpty());
    ASSERT_TRUE(world.node().start<Reader>({}, std::ref(journal), file.get()));
    EXPECT_THAT(lines_once_there_are(1), ElementsAre("1"));
}

TEST_P(Files, what_can_not_be_watched_is_an_error) {
    auto const directory = TemporaryDirectory::create().value();
    auto const file = open_file(directory.path() / "plain", O_CREAT | O_RDWR).value();
    auto const started = world.node().start<Reader>({}, std::ref(journal), file.get());
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message(), HasSubstr("can't be watched"));
}

/// The threads of this process, and for each whether it sleeps until something happens: in epoll_wait() with
/// no limit of time, as the kernel tells (proc(5), /proc/PID/syscall).
std::map<std::string, bool> sleeping_threads() {
    std::map<std::string, bool> found;
    for (auto const& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream file(task.path() / "syscall");
        long number = 0;
        std::array<std::uint64_t, 4> arguments{};
        file >> number >> std::hex;
        for (std::uint64_t& argument : arguments) {
            file >> argument;
        }
        bool const waits = number == SYS_epoll_pwait2 ? arguments[3] == 0
#ifdef SYS_epoll_wait
                           : number == SYS_epoll_wait
                               ? static_cast<std::int32_t>(arguments[3]) == -1
#endif
                               : number == SYS_epoll_pwait && static_cast<std::int32_t>(arguments[3]) == -1;
        found[task.path().filename()] = file && waits;
    }
    return found;
}

TEST(Nodes, an_idle_node_sleeps_until_something_happens) {
#if defined(__SANITIZE_THREAD__) || (defined(__clang__) && __has_feature(thread_sanitizer))
    GTEST_SKIP() << "the thread sanitizer's own waits stand between a thread and the kernel";
#endif
    auto const before = sleeping_threads();
    Node const node({.workers = 2});
    EXPECT_TRUE(eventually([&] {
        auto now = sleeping_threads();
        std::erase_if(now, [&](auto const& thread) { return before.contains(thread.first); });
        return now.size() >= node.worker_count() &&
               std::ranges::all_of(now, [](auto const& thread) { return thread.second; });
    }));
}

TEST(Nodes, blocking_work_does_not_hold_up_the_scheduler) {
    struct Slow {
        using Reply = int;
    };
    struct Quick {
        using Reply = int;
    };
    struct Gate {
        std::atomic<bool> is_open{false};
    };
    class Mixed : public Server<Mixed> {
    public:
        explicit Mixed(Gate& gate)
            : m_gate(&gate) {}
        void handle_call(Slow /*request*/, Deferred<Slow> reply) {
            auto held = std::make_shared<Deferred<Slow>>(std::move(reply));
            blocking([gate = m_gate] {
                gate->is_open.wait(false);
                return 1;
            }).then([held](Result<int> result) { held->reply(*result); });
        }
        int handle_call(Quick /*request*/) { return 2; }

    private:
        Gate* m_gate;
    };
    Gate gate;
    Node node({.workers = 1});
    auto const server = node.start<Mixed>({}, std::ref(gate)).value();
    std::jthread const asker([&] {
        NodeScope const scope(node);
        EXPECT_EQ(call(server, Slow{}, 10s).value(), 1);
    });
    EXPECT_EQ(call(server, Quick{}, 10s).value(), 2);
    gate.is_open = true;
    gate.is_open.notify_all();
}

/// Two threads, and two pieces of work may wait for them.
TEST(Nodes, blocking_work_that_is_too_much_is_refused) {
    struct Gate {
        std::atomic<bool> is_open{false};
        std::mutex mutex;
        std::vector<std::string> answers;
        std::latch all_answered{6};
    };
    class Eager : public Server<Eager> {
    public:
        explicit Eager(Gate& gate) {
            for (int i = 0; i < 6; ++i) {
                blocking([&gate] { gate.is_open.wait(false); }).then([&gate](Result<> const& result) {
                    std::lock_guard const lock(gate.mutex);
                    gate.answers.push_back(result ? "done" : result.error().message());
                    EXPECT_TRUE(result || result.error().code() == ErrorCode::unavailable);
                    if (gate.answers.size() == 2) { // Those that were refused are answered first.
                        gate.is_open = true;
                        gate.is_open.notify_all();
                    }
                    gate.all_answered.count_down();
                });
            }
        }
    };
    Gate gate;
    Node node({.workers = 1, .blocking_threads = 2, .blocking_queue = 2});
    ASSERT_TRUE(node.start<Eager>({}, std::ref(gate)));
    gate.all_answered.wait();
    std::string const refused =
        "blocking work was refused: as much waits for the blocking pool as may (NodeOptions::blocking_queue)";
    EXPECT_THAT(gate.answers, ::testing::ElementsAre(refused, refused, "done", "done", "done", "done"));
}

TEST(Nodes, work_in_the_background_is_refused_when_the_pool_is_full) {
    std::atomic<bool> is_open{false};
    Node node({.workers = 1, .blocking_threads = 1, .blocking_queue = 0});
    EXPECT_TRUE(run_in_background([&] { is_open.wait(false); }));
    EXPECT_FALSE(run_in_background([] {}));
    is_open = true;
    is_open.notify_all();
}

TEST(Nodes, work_that_must_be_done_is_done_here_when_the_pool_is_full) {
    std::atomic<bool> is_open{false};
    std::thread::id where;
    Node node({.workers = 1, .blocking_threads = 1, .blocking_queue = 0});
    EXPECT_TRUE(run_in_background([&] { is_open.wait(false); }));
    {
        MustNotBlock const scope("a test");
        run_in_background_or_here([&] {
            assert_may_block("what must be done");
            where = std::this_thread::get_id();
        });
    }
    EXPECT_EQ(where, std::this_thread::get_id());
    is_open = true;
    is_open.notify_all();
}

TEST(Nodes, work_that_must_be_done_is_done_when_the_node_ends_first) {
    std::atomic<bool> is_open{false};
    std::atomic<int> done{0};
    {
        Node node({.workers = 1, .blocking_threads = 1, .blocking_queue = 1});
        EXPECT_TRUE(run_in_background([&] { is_open.wait(false); }));
        run_in_background_or_here([&] { ++done; });
        is_open = true;
        is_open.notify_all();
    }
    EXPECT_EQ(done, 1);
}

/// Ends the program where a scheduler thread would wait, in a build that checks it.
TEST(Nodes, a_handler_that_blocks_its_thread_is_found) {
    if (SINEW_CHECKS_BLOCKING == 0) {
        GTEST_SKIP() << "an optimised build checks nothing";
    }
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    struct Blocker : Server<Blocker> {
        Result<> init() { return write_file_atomically("/dev/null/file", {}); }
    };
    EXPECT_DEATH(
        {
            Node node({.workers = 1});
            (void)node.start<Blocker>();
        },
        "an atomic write blocks a scheduler thread");
    EXPECT_DEATH(
        {
            testing::Simulation simulation(1);
            (void)simulation.node().start<Blocker>();
        },
        "an atomic write blocks a simulated process");
}

TEST(Nodes, a_thread_without_a_node_is_told_so) {
    std::jthread([] { EXPECT_THROW(send(name<Probe>, Note{}), std::logic_error); });
}

TEST(Nodes, destroying_a_node_ends_its_processes) {
    std::atomic<int> alive{0};
    struct Counted : Server<Counted> {
        explicit Counted(std::atomic<int>& count)
            : m_count(&count) {
            ++*m_count;
        }
        ~Counted() { --*m_count; }
        Counted(Counted const&) = delete;
        Counted& operator=(Counted const&) = delete;
        Counted(Counted&&) = delete;
        Counted& operator=(Counted&&) = delete;
        std::atomic<int>* m_count;
    };
    {
        Node node({.workers = 2});
        for (int i = 0; i < 1000; ++i) {
            spawn<Counted>(std::ref(alive));
        }
    }
    EXPECT_EQ(alive, 0);
}

// --- Stress: everything at once, on more workers than processors.

struct Work {
    int left = 0;
    int nanoseconds = 0;
};

/// Passes hops to random peers and checks that each peer's numbers arrive in order.
class Gossip : public Server<Gossip> {
public:
    struct Numbered {
        std::uint32_t from = 0;
        std::uint32_t number = 0;
    };
    struct Shared {
        std::vector<ServerRef<Gossip>> peers;
        std::atomic<std::uint64_t> handled{0};
        std::atomic<int> disorder{0};
    };
    Gossip(Shared& shared, std::uint32_t index)
        : m_shared(&shared)
        , m_index(index)
        , m_random(index)
        , m_sent(64)
        , m_received(64) {}
    void handle_info(Numbered message) {
        if (message.number != ++m_received[message.from]) {
            ++m_shared->disorder;
        }
        ++m_shared->handled;
    }
    void handle_info(Work work) {
        auto const until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(work.nanoseconds);
        while (std::chrono::steady_clock::now() < until) {
        }
        for (int i = 0; i < 4; ++i) {
            auto const to = static_cast<std::uint32_t>(m_random() % m_shared->peers.size());
            send(m_shared->peers[to], Numbered{m_index, ++m_sent[to]});
        }
        if (work.left > 0) {
            send(self(), Work{work.left - 1, work.nanoseconds});
        }
    }

private:
    Shared* m_shared;
    std::uint32_t m_index;
    std::minstd_rand m_random;
    std::vector<std::uint32_t> m_sent;
    std::vector<std::uint32_t> m_received;
};

TEST(Stress, order_holds_between_processes_that_migrate) {
    Gossip::Shared shared;
    Node node({.workers = 4});
    for (std::uint32_t i = 0; i < 64; ++i) {
        shared.peers.push_back(node.start<Gossip>({}, std::ref(shared), i).value());
    }
    constexpr int rounds = 200;
    for (std::size_t i = 0; i < shared.peers.size(); ++i) {
        // Some work long enough that their worker gives others away.
        send(shared.peers[i], Work{rounds - 1, i % 8 == 0 ? 30'000 : 100});
    }
    std::uint64_t const expected = 64ULL * rounds * 4;
    EXPECT_TRUE(eventually([&] { return shared.handled == expected; }));
    EXPECT_EQ(shared.disorder, 0);
}

/// Asks and is asked, spawns, links, dies: nothing may be lost or answered twice.
class Chaos : public Server<Chaos> {
public:
    struct Ask {
        using Reply = int;
        int depth = 0;
    };
    struct Shared {
        std::vector<ServerRef<Chaos>> peers;
        std::atomic<int> asked{0};
        std::atomic<int> answered{0};
        std::atomic<int> downs{0};
        std::atomic<int> monitored{0};
    };
    struct Go {
        int left = 0;
    };
    Chaos(Shared& shared, unsigned seed)
        : m_shared(&shared)
        , m_random(seed) {}
    void init() { set_trap_exit(true); }
    int handle_call(Ask ask) {
        if (ask.depth == 3) {
            throw std::runtime_error("asked too deeply");
        }
        return ask.depth;
    }
    void handle_info(Exit /*message*/) {}
    void handle_info(Down /*message*/) { ++m_shared->downs; }
    void handle_info(Go go) {
        auto const& peer = m_shared->peers[m_random() % m_shared->peers.size()];
        ++m_shared->asked;
        request(peer, Ask{static_cast<int>(m_random() % 64 == 0 ? 3 : 1)}, 20s).then([this](Result<int>) {
            ++m_shared->answered;
        });
        ++m_shared->monitored;
        (void)spawn_monitor([seed = m_random()] {
            if (seed % 2 == 0) {
                exit_self(ExitReason::error("chaos"));
            }
        });
        spawn_link([] {});
        if (go.left > 0) {
            send(self(), Go{go.left - 1});
        }
    }

private:
    Shared* m_shared;
    std::minstd_rand m_random;
};

TEST(Stress, every_question_is_answered_once_and_every_monitor_too) {
    World world(Mode::threads);
    Chaos::Shared targets;
    Chaos::Shared askers;
    std::vector<ServerRef<Chaos>> asking;
    for (unsigned i = 0; i < 8; ++i) {
        targets.peers.push_back(world.node().start<Chaos>({}, std::ref(targets), i).value());
        askers.peers = targets.peers;
    }
    for (unsigned i = 0; i < 16; ++i) {
        asking.push_back(world.node().start<Chaos>({}, std::ref(askers), 100 + i).value());
    }
    for (auto const& asker : asking) {
        send(asker, Chaos::Go{150});
    }
    world.settle();
    EXPECT_EQ(askers.asked, 16 * 151);
    EXPECT_EQ(askers.answered, askers.asked);
    EXPECT_EQ(askers.downs, askers.monitored);
}

TEST(Stress, threads_outside_call_a_tree_that_keeps_crashing) {
    struct Ping {
        using Reply = int;
    };
    struct Die {};
    class Fragile : public Server<Fragile> {
    public:
        int handle_call(Ping /*request*/) { return 1; }
        void handle_cast(Die /*message*/) { throw std::runtime_error("boom"); }
    };
    World world(Mode::threads);
    auto const tree =
        world.node().start(supervise(SupervisorOptions{.intensity = 100'000}, {child<Fragile>()})).value();
    std::atomic<int> answers{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 3; ++t) {
            threads.emplace_back([&] {
                NodeScope const scope(world.node());
                for (int i = 0; i < 200; ++i) {
                    if (i % 10 == 0) {
                        cast(name<Fragile>, Die{});
                    }
                    auto const reply = call(name<Fragile>, Ping{}, 20s);
                    ASSERT_TRUE(reply || reply.error().code() != ErrorCode::timed_out)
                        << reply.error().message();
                    answers += reply ? 1 : 0;
                }
            });
        }
    }
    EXPECT_GT(answers, 0);
    EXPECT_TRUE(stop_and_wait(tree, ExitReason::shutdown()));
}

TEST(Stress, processes_come_and_go_on_all_workers_without_growth) {
    World world(Mode::threads);
    struct Breeder : Server<Breeder> {
        struct Breed {
            int left = 0;
        };
        void handle_info(Breed breed) {
            for (int i = 0; i < 50; ++i) {
                spawn([] {});
            }
            if (breed.left > 0) {
                send(self(), Breed{breed.left - 1});
            }
        }
    };
    std::vector<ServerRef<Breeder>> breeders;
    for (int i = 0; i < 4; ++i) {
        breeders.push_back(world.node().start<Breeder>().value());
        send(breeders.back(), Breeder::Breed{200});
    }
    world.settle();
    EXPECT_EQ(world.node().process_count(), 4U);
    std::size_t records = 0;
    world.node().core().slots.for_each([&records](detail::Process const&) { ++records; });
    EXPECT_LT(records, 30'000U) << "records are used again";
}

} // namespace
} // namespace sinew::testing
