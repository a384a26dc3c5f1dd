#include "scheduler/watchdog.hpp"

#include "core/context.hpp"
#include "core/node_core.hpp"
#include "core/process.hpp"
#include "core/worker.hpp"
#include "scheduler/run_loop.hpp"
#include "scheduler/seat.hpp"
#include "scheduler/stack_text.hpp"

#include <sinew/otp/detail/behaviour.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/log.hpp>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace sinew::detail {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::uint64_t stop_mark = ~std::uint64_t{0};

} // namespace

Watchdog::Watchdog(NodeCore& core, StuckHandlers options)
    : m_core(core)
    , m_options(options)
    , m_poller(epoll_create1(EPOLL_CLOEXEC))
    , m_stop_event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    epoll_event stop{.events = EPOLLIN, .data = {.u64 = stop_mark}};
    bool is_complete =
        m_poller && m_stop_event && epoll_ctl(m_poller.get(), EPOLL_CTL_ADD, m_stop_event.get(), &stop) == 0;
    for (auto const& loop : core.loops) {
        FileDescriptor timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
        epoll_event tick{.events = EPOLLIN, .data = {.u64 = loop->worker.index()}};
        is_complete =
            is_complete && timer && epoll_ctl(m_poller.get(), EPOLL_CTL_ADD, timer.get(), &tick) == 0;
        if (m_options.policy != StuckHandlers::Policy::ignore) {
            loop->worker.watch_timer.start(std::move(timer), m_options.limit / 2);
        }
        m_watched.push_back({.loop = loop.get()});
    }
    if (!is_complete) {
        throw std::system_error(errno, std::system_category(), "the watch over the workers can't be made");
    }
}

Watchdog::~Watchdog() {
    stop();
}

void Watchdog::start() {
    for (Watched& watched : m_watched) {
        watched.seat =
            m_seats.emplace_back(std::make_unique<Seat>(*watched.loop, Seat::State::driving)).get();
        watched.seat->start();
    }
    if (m_options.policy != StuckHandlers::Policy::ignore) {
        m_thread = std::thread([this] { run(); });
    }
}

void Watchdog::stop() noexcept {
    if (m_thread.joinable()) {
        std::uint64_t const one = 1;
        (void)!write(m_stop_event.get(), &one, sizeof one);
        m_thread.join();
    }
    for (auto const& seat : m_seats) {
        seat->release();
        seat->join();
    }
    m_core.seats.store(nullptr, std::memory_order_release);
    m_seats.clear();
}

std::size_t Watchdog::displaced_count() const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(m_seats, [](auto const& seat) {
        return seat->state() == Seat::State::displaced || seat->state() == Seat::State::replaced;
    }));
}

void Watchdog::run() {
    t_context.core = &m_core;
    for (;;) {
        epoll_event event{};
        int const count = epoll_wait(m_poller.get(), &event, 1, milliseconds_to_next_report());
        report_overdue();
        if (count == 0 || (count < 0 && errno == EINTR)) {
            continue;
        }
        if (count != 1 || event.data.u64 == stop_mark) {
            return;
        }
        Watched& watched = m_watched[event.data.u64];
        std::uint64_t ticks = 0;
        (void)!read(watched.loop->worker.watch_timer.fd(), &ticks, sizeof ticks);
        look(watched);
    }
}

void Watchdog::look(Watched& watched) {
    std::int64_t const now_ns = m_core.now_ns();
    Seat* const seat = watched.loop->worker.driver.load(std::memory_order_acquire);
    std::uint64_t const turns = watched.loop->worker.turns;
    if (seat != nullptr && seat->state() == Seat::State::displaced) {
        // It left a moment after it was asked to.
        watched.seat = seat;
        remember(watched);
        replace(watched);
        return;
    }
    if (seat == nullptr || watched.loop->worker.running == nullptr || turns != watched.turns ||
        seat != watched.seat) {
        watched.turns = turns;
        watched.seat = seat;
        watched.since_ns = now_ns;
        watched.cpu_ns = seat != nullptr ? seat->cpu_time_ns() : 0;
        watched.is_reported = false;
        return;
    }
    std::int64_t const stuck_ns = now_ns - watched.since_ns;
    bool const is_overdue = stuck_ns >= m_options.report_after.count();
    bool const computes = seat->cpu_time_ns() - watched.cpu_ns >= m_options.limit.count();
    if (!computes && (!is_overdue || !seat->is_asleep())) {
        return;
    }
    if (m_options.policy == StuckHandlers::Policy::replace && displaced_count() < m_options.most_replaced) {
        (void)seat->interrupt(true);
        if (seat->state() == Seat::State::displaced) {
            remember(watched);
            replace(watched);
        }
    } else if (stuck_ns >= report_after_ns(watched) && !watched.is_reported && seat->interrupt(false)) {
        watched.is_reported = true;
        log::warning(description(watched) + stack_text(seat->stack()));
    }
}

void Watchdog::remember(Watched const& watched) {
    std::erase_if(m_displaced, [&](Displaced const& one) { return one.seat == watched.seat; });
    m_displaced.push_back({.seat = watched.seat,
                           .description = description(watched),
                           .stack = watched.seat->stack(),
                           .due_ns = watched.since_ns + report_after_ns(watched)});
}

int Watchdog::milliseconds_to_next_report() const {
    if (m_displaced.empty()) {
        return -1;
    }
    std::int64_t const left_ns =
        std::ranges::min(m_displaced, {}, &Displaced::due_ns).due_ns - m_core.now_ns();
    return static_cast<int>(std::clamp<std::int64_t>(left_ns / 1'000'000 + 1, 0, second_ns / 1'000'000));
}

void Watchdog::report_overdue() {
    std::int64_t const now_ns = m_core.now_ns();
    std::erase_if(m_displaced, [&](Displaced const& one) {
        if (one.seat->state() != Seat::State::displaced && one.seat->state() != Seat::State::replaced) {
            return true; // Its handler has returned.
        }
        if (now_ns < one.due_ns) {
            return false;
        }
        log::warning(one.description + stack_text(one.stack));
        return true;
    });
}

// Who starts opens devices and files: it takes the time that those take, and its starter waits for it anyway.
std::int64_t Watchdog::report_after_ns(Watched const& watched) const noexcept {
    // No message is in hand in init(), nor at the end of a process.
    bool const is_starting = watched.loop->worker.handling == nullptr;
    return is_starting ? std::max(m_options.report_after, m_options.report_start_after).count()
                       : m_options.report_after.count();
}

std::string Watchdog::description(Watched const& watched) const {
    auto const limit = std::chrono::duration_cast<std::chrono::milliseconds>(
                           std::chrono::nanoseconds(report_after_ns(watched)))
                           .count();
    std::string text = "stuck for more than " + std::to_string(limit) + " ms: ";
    Process const* const process = watched.loop->worker.running;
    if (process == nullptr) {
        return text + "a process that ends";
    }
    Behaviour const* const behaviour = process->behaviour;
    text += behaviour != nullptr ? readable_type_name(*behaviour->type) : "a process";
    text += " " + process->pid().to_string();
    if (MessageOps const* const handling = watched.loop->worker.handling;
        handling != nullptr && handling->type != nullptr) {
        text += " handling " + readable_type_name(*handling->type);
    }
    return text;
}

Seat* Watchdog::spare_seat(RunLoop& loop) {
    auto const spare =
        std::ranges::find(m_seats, Seat::State::spare, [](auto const& seat) { return seat->state(); });
    if (spare != m_seats.end()) {
        return spare->get();
    }
    try {
        m_seats.reserve(m_seats.size() + 1);
        auto fresh = std::make_unique<Seat>(loop, Seat::State::spare);
        fresh->start();
        return m_seats.emplace_back(std::move(fresh)).get();
    } catch (std::exception const& error) {
        // The next look tries again.
        log::error(std::string("no thread can be made for the worker of a stuck handler: ") + error.what());
        return nullptr;
    }
}

// First the thread, then the worker: once the displaced one waits for its worker, somebody must drive that.
void Watchdog::replace(Watched& watched) {
    Worker& worker = watched.loop->worker;
    Seat* const other = spare_seat(*watched.loop);
    if (other != nullptr && watched.seat->set_replaced(worker)) {
        worker.driver.store(other, std::memory_order_release);
        other->drive(*watched.loop);
    }
}

} // namespace sinew::detail
