// floor WORKERS CASE: the least that a C++ actor loop must do, as a limit to measure the runtime against.
//
// No monitors, time limits, links, typed payloads or exception barrier: a mailbox is one word (a list, newest
// first, that the receiver takes whole and reverses), a process is 128 bytes, an envelope 64, both from
// pools. Compiled twice: with atomic mailboxes, and with -DOWNER_LOCAL, where one worker owns everything and
// nothing is atomic. One file, however long: the compiler sees all of a loop, as nothing that is measured
// against it can beat. Prints lines `CASE METRIC VALUE UNIT`.
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Integer = std::int64_t;

void report(std::string const& name, char const* metric, double value, char const* unit) {
    std::printf("%s %s %.3f %s\n", name.c_str(), metric, value, unit);
}
void report_rate(std::string const& name, char const* metric, double count, Clock::duration time) {
    report(name, metric, count / std::chrono::duration<double>(time).count(), "ops/s");
}

/// What std::atomic offers, for a value that one thread owns.
template<typename T>
class Plain {
public:
    Plain(T value = T()) // NOLINT(google-explicit-constructor): stands in for std::atomic
        : m_value(value) {}
    T load(std::memory_order /*order*/ = {}) const { return m_value; }
    void store(T value, std::memory_order /*order*/ = {}) { m_value = value; }
    T exchange(T value, std::memory_order /*order*/ = {}) { return std::exchange(m_value, value); }
    bool compare_exchange_weak(T& expected, T value, std::memory_order /*success*/ = {},
                               std::memory_order /*failure*/ = {}) {
        if (m_value == expected) {
            m_value = value;
            return true;
        }
        expected = m_value;
        return false;
    }

private:
    T m_value;
};
#ifdef OWNER_LOCAL
template<typename T>
using Shared = Plain<T>;
#else
template<typename T>
using Shared = std::atomic<T>;
#endif

struct Process;
struct Worker;
struct Envelope {
    Envelope* next;
    Process* from;
    Integer tag;
    Integer value;
    Integer padding[4];
};
Envelope* const idle_mark = reinterpret_cast<Envelope*>(1);

using Handler = void (*)(Worker&, Process&, Envelope&);
struct Process {
    Shared<Envelope*> mailbox{idle_mark};
    Envelope* taken = nullptr;
    Handler handler = nullptr;
    Process* peer = nullptr;
    bool has_ended = false;
    Integer state[8]{};
};

/// Memory in slabs of 2 MiB with a free list.
template<typename T>
class Pool {
public:
    void* take() {
        if (m_free != nullptr) {
            void* const result = m_free;
            m_free = *static_cast<void**>(result);
            return result;
        }
        if (m_next == m_end) {
            m_next = static_cast<char*>(
                mmap(nullptr, slab_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
            m_end = m_next + slab_bytes / sizeof(T) * sizeof(T);
        }
        return std::exchange(m_next, m_next + sizeof(T));
    }
    void give(T* object) {
        *reinterpret_cast<void**>(object) = m_free;
        m_free = object;
    }

private:
    static constexpr std::size_t slab_bytes = std::size_t{2} << 20;
    void* m_free = nullptr;
    char* m_next = nullptr;
    char* m_end = nullptr;
};

constexpr std::uint64_t ring_size = std::uint64_t{1} << 21;
/// A run queue others may take from, at the same end as its owner: first come, first served.
struct alignas(128) Worker {
    Pool<Envelope> envelopes;
    Pool<Process> processes;
    alignas(128) Shared<std::uint64_t> top{0};
    alignas(128) Shared<std::uint64_t> bottom{0};
    std::unique_ptr<Shared<Process*>[]> ring = std::make_unique<Shared<Process*>[]>(ring_size);
    /// The process woken last runs next.
    Process* hot = nullptr;
};
std::vector<std::unique_ptr<Worker>> workers;
std::atomic<bool> is_stopping{false};
std::atomic<Integer> done{0};
Shared<Integer> alive{0};

void push(Worker& worker, Process& process) {
    std::uint64_t const bottom = worker.bottom.load(std::memory_order_relaxed);
    worker.ring[bottom % ring_size].store(&process, std::memory_order_relaxed);
    worker.bottom.store(bottom + 1, std::memory_order_release);
}
Process* take(Worker& worker) {
    std::uint64_t top = worker.top.load(std::memory_order_acquire);
    while (top < worker.bottom.load(std::memory_order_acquire)) {
        Process* const process = worker.ring[top % ring_size].load(std::memory_order_relaxed);
        if (worker.top.compare_exchange_weak(top, top + 1, std::memory_order_acq_rel)) {
            return process;
        }
    }
    return nullptr;
}

void send(Worker& worker, Process& to, Process* from, Integer tag, Integer value) {
    auto* const envelope = ::new (worker.envelopes.take())
        Envelope{.next = nullptr, .from = from, .tag = tag, .value = value, .padding = {}};
    Envelope* head = to.mailbox.load(std::memory_order_relaxed);
    do {
        envelope->next = head == idle_mark ? nullptr : head;
    } while (!to.mailbox.compare_exchange_weak(head, envelope, std::memory_order_acq_rel,
                                               std::memory_order_relaxed));
    if (head != idle_mark) {
        return;
    }
    if (worker.hot == nullptr) {
        worker.hot = &to;
    } else {
        push(worker, to);
    }
}

Process& spawn(Worker& worker, Handler handler, Process* peer = nullptr, Integer state = 0) {
    auto& process = *::new (worker.processes.take()) Process;
    process.handler = handler;
    process.peer = peer;
    process.state[0] = state;
    alive.store(alive.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return process;
}

bool take_mailbox(Process& process) {
    Envelope* list = process.mailbox.exchange(nullptr, std::memory_order_acquire);
    if (list == idle_mark) {
        list = nullptr;
    }
    while (list != nullptr) {
        Envelope* const next = std::exchange(list->next, process.taken);
        process.taken = std::exchange(list, next);
    }
    return process.taken != nullptr;
}

void run(Worker& worker, Process& process) {
    for (int budget = 400;;) {
        if (process.taken == nullptr && !take_mailbox(process)) {
            Envelope* empty = nullptr;
            if (process.mailbox.compare_exchange_weak(empty, idle_mark, std::memory_order_acq_rel)) {
                return;
            }
            continue;
        }
        if (budget-- == 0) {
            push(worker, process);
            return;
        }
        Envelope* const envelope = std::exchange(process.taken, process.taken->next);
        process.handler(worker, process, *envelope);
        worker.envelopes.give(envelope);
        if (process.has_ended) {
            worker.processes.give(&process);
            alive.store(alive.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
            return;
        }
    }
}

Process* next_process(Worker& worker, int& streak) {
    if (worker.hot != nullptr && streak++ < 64) {
        return std::exchange(worker.hot, nullptr);
    }
    streak = 0;
    Process* const process = take(worker);
    return process != nullptr ? process : std::exchange(worker.hot, nullptr);
}

/// A neighbour's queue is worth a look every 5 µs, and worth taking from when it is long or has not moved
/// for 20.
class Thief {
public:
    Process* steal(Worker& own) {
        auto const now = Clock::now();
        if (now - m_last_look < std::chrono::microseconds(5)) {
            return nullptr;
        }
        m_last_look = now;
        for (auto const& victim : workers) {
            if (victim.get() != &own) {
                if (Process* const process = steal_from(*victim, own, now)) {
                    return process;
                }
            }
        }
        return nullptr;
    }

private:
    Process* steal_from(Worker& victim, Worker& own, Clock::time_point now) {
        std::uint64_t const top = victim.top.load(std::memory_order_relaxed);
        std::uint64_t const length = victim.bottom.load(std::memory_order_relaxed) - top;
        if (length == 0) {
            return nullptr;
        }
        if (length < 512) {
            if (top != m_seen_top) {
                m_seen_top = top;
                m_seen_at = now;
                return nullptr;
            }
            if (now - m_seen_at < std::chrono::microseconds(20)) {
                return nullptr;
            }
        }
        for (std::uint64_t i = 1; i < length / 2; ++i) {
            Process* const process = take(victim);
            if (process == nullptr) {
                break;
            }
            push(own, *process);
        }
        return take(victim);
    }
    Clock::time_point m_last_look;
    Clock::time_point m_seen_at;
    std::uint64_t m_seen_top = ~std::uint64_t{0};
};

void run_worker(std::size_t index) {
    cpu_set_t processor;
    CPU_ZERO(&processor);
    CPU_SET(index % std::thread::hardware_concurrency(), &processor);
    sched_setaffinity(0, sizeof processor, &processor);
    Worker& worker = *workers[index];
    int streak = 0;
    Thief thief;
    while (!is_stopping.load(std::memory_order_relaxed)) {
        Process* process = next_process(worker, streak);
        if (process == nullptr && workers.size() > 1) {
            process = thief.steal(worker);
        }
        if (process != nullptr) {
            run(worker, *process);
        }
    }
}

/// Runs until `target` processes are done.
Clock::duration run_until_done(Integer target) {
    auto const start = Clock::now();
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < workers.size(); ++i) {
        threads.emplace_back(&run_worker, i);
    }
    while (done.load(std::memory_order_relaxed) < target) {
        usleep(100);
    }
    auto const time = Clock::now() - start;
    is_stopping = true;
    return time;
}
void start(std::size_t index, Process& process, Integer value) {
    Worker& worker = *workers[index % workers.size()];
    send(worker, process, nullptr, 0, value);
    if (worker.hot != nullptr) {
        push(worker, *std::exchange(worker.hot, nullptr));
    }
}

void echo(Worker& worker, Process& self, Envelope& envelope) {
    send(worker, *envelope.from, &self, envelope.tag, envelope.value);
}
void ping(Worker& worker, Process& self, Envelope& envelope) {
    if (envelope.value == 0) {
        ++done;
        self.has_ended = true;
        return;
    }
    send(worker, *self.peer, &self, 1, envelope.value - 1);
}
void pass_on(Worker& worker, Process& self, Envelope& envelope) {
    if (envelope.value == 0) {
        ++done;
        return;
    }
    send(worker, *self.peer, &self, 0, envelope.value - 1);
}
void count_down(Worker& /*worker*/, Process& self, Envelope& /*envelope*/) {
    if (--self.state[0] == 0) {
        ++done;
    }
}
void flood(Worker& worker, Process& self, Envelope& /*envelope*/) {
    for (int i = 0; i < 384 && self.state[0] > 0; ++i, --self.state[0]) {
        send(worker, *self.peer, &self, 0, i);
    }
    if (self.state[0] > 0) {
        send(worker, self, &self, 0, 0);
    } else {
        self.has_ended = true;
    }
}
/// A call: the answer carries the reference of its question.
void ask(Worker& worker, Process& self, Envelope& envelope) {
    self.state[2] += envelope.tag == self.state[1] ? 1 : 0;
    if (self.state[0]-- == 0) {
        ++done;
        self.has_ended = true;
        return;
    }
    send(worker, *self.peer, &self, ++self.state[1], 7);
}
void end(Worker& /*worker*/, Process& self, Envelope& /*envelope*/) {
    self.has_ended = true;
}
void spawn_many(Worker& worker, Process& self, Envelope& /*envelope*/) {
    for (int i = 0; i < 1000 && self.state[0] > 0; ++i, --self.state[0]) {
        send(worker, spawn(worker, &end), &self, 0, 0);
    }
    if (self.state[0] > 0) {
        send(worker, self, &self, 0, 0);
    } else {
        self.has_ended = true;
        ++done;
    }
}
std::vector<Process*> servers;
void spin(Worker& worker, Process& self, Envelope& envelope) {
    Integer value = 1;
    for (int i = 0; i < 100; ++i) {
        value = (value * 1'103'515'245 + 12'345) & 0x7fffffff;
    }
    send(worker, *envelope.from, &self, envelope.tag, value);
}
void ask_mostly_one(Worker& worker, Process& self, Envelope& /*envelope*/) {
    Integer const n = self.state[0]--;
    if (n == 0) {
        ++done;
        self.has_ended = true;
        return;
    }
    bool const is_hot = (n * 7919 + self.state[1] * 104'729) % 10 != 0;
    send(worker, *servers[is_hot ? 0 : 1 + static_cast<std::size_t>(n * 31 + self.state[1]) % 999], &self, n,
         7);
}

void measure_ping_pong() {
    constexpr Integer count = 10'000'000;
    Worker& worker = *workers[0];
    start(0, spawn(worker, &ping, &spawn(worker, &echo)), count);
    report_rate("pingpong", "round_trips", count, run_until_done(1));
}
void measure_calls(Integer clients) {
    constexpr Integer count = 10'000'000;
    Process& server = spawn(*workers[0], &echo);
    for (Integer i = 0; i < clients; ++i) {
        start(static_cast<std::size_t>(i), spawn(*workers[0], &ask, &server, count / clients), 0);
    }
    report_rate("call" + std::to_string(clients), "calls", count, run_until_done(clients));
}
void measure_ring() {
    constexpr std::size_t size = 1000;
    constexpr Integer hops = 30'000'000;
    std::vector<Process*> members;
    for (std::size_t i = 0; i < size; ++i) {
        members.push_back(&spawn(*workers[0], &pass_on));
    }
    for (std::size_t i = 0; i < size; ++i) {
        members[i]->peer = members[(i + 1) % size];
    }
    start(0, *members[0], hops);
    report_rate("ring", "hops", hops, run_until_done(1));
}
void measure_fan_in(Integer producers) {
    constexpr Integer count = 8'000'000;
    Process& sink = spawn(*workers[0], &count_down, nullptr, count / producers * producers);
    for (Integer i = 0; i < producers; ++i) {
        start(static_cast<std::size_t>(i), spawn(*workers[0], &flood, &sink, count / producers), 0);
    }
    report_rate("fanin" + std::to_string(producers), "messages", count, run_until_done(1));
}
void measure_pairs() {
    constexpr Integer pairs = 5000;
    constexpr Integer each = 1000;
    for (Integer i = 0; i < pairs; ++i) {
        start(static_cast<std::size_t>(i), spawn(*workers[0], &ping, &spawn(*workers[0], &echo)), each);
    }
    report_rate("pairs", "messages", 2.0 * pairs * each, run_until_done(pairs));
}
void measure_spawn_exit() {
    constexpr Integer count = 3'000'000;
    start(0, spawn(*workers[0], &spawn_many, nullptr, count), 0);
    report_rate("spawn_exit", "processes", count, run_until_done(1));
}
void measure_memory() {
    report("memory", "bytes", sizeof(Process), "B");
}
void measure_hot_process() {
    constexpr Integer clients = 100;
    constexpr Integer each = 50'000;
    for (int i = 0; i < 1000; ++i) {
        servers.push_back(&spawn(*workers[0], &spin));
    }
    for (Integer i = 0; i < clients; ++i) {
        Process& client = spawn(*workers[0], &ask_mostly_one, nullptr, each);
        client.state[1] = i;
        start(static_cast<std::size_t>(i), client, 0);
    }
    report_rate("hot", "calls", clients * each, run_until_done(clients));
}

class Child {
public:
    Integer handle(Integer value) {
        if (value < 0) {
            throw std::runtime_error("crash");
        }
        return value + m_state[0];
    }

private:
    Integer m_state[6]{};
};
/// An exception, and a new object.
void measure_restart() {
    constexpr std::size_t count = 200'000;
    std::vector<double> times_us(count);
    auto child = std::make_unique<Child>();
    auto const begin = Clock::now();
    for (double& time_us : times_us) {
        auto const crashed = Clock::now();
        try {
            (void)child->handle(-1);
        } catch (std::exception const&) {
            child = std::make_unique<Child>();
        }
        if (child->handle(1) != 1) {
            std::abort();
        }
        time_us = std::chrono::duration<double, std::micro>(Clock::now() - crashed).count();
    }
    report_rate("restart", "restarts", count, Clock::now() - begin);
    std::ranges::sort(times_us);
    report("restart", "crash_to_answer.p50", times_us[count / 2], "us");
    report("restart", "crash_to_answer.p99", times_us[count * 99 / 100], "us");
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: floor WORKERS CASE\n");
        return 2;
    }
    for (int i = 0; i < std::atoi(argv[1]); ++i) {
        workers.push_back(std::make_unique<Worker>());
    }
    struct Case {
        char const* name;
        void (*run)();
    };
    constexpr Case cases[] = {
        {"pingpong", &measure_ping_pong},
        {"call1", [] { measure_calls(1); }},
        {"call100", [] { measure_calls(100); }},
        {"ring", &measure_ring},
        {"fanin2", [] { measure_fan_in(2); }},
        {"fanin100", [] { measure_fan_in(100); }},
        {"pairs", &measure_pairs},
        {"spawn_exit", &measure_spawn_exit},
        {"memory", &measure_memory},
        {"hot", &measure_hot_process},
        {"restart", &measure_restart},
    };
    auto const* const found = std::ranges::find_if(
        cases, [name = std::string(argv[2])](Case const& one) { return name == one.name; });
    if (found == std::end(cases)) {
        std::fprintf(stderr, "floor: no such case: %s\n", argv[2]);
        return 2;
    }
    found->run();
    std::fflush(stdout);
    std::_Exit(0);
}
