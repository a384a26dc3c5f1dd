/// Producer, ProducerConsumer, Consumer: pipelines in which the slow end sets the pace (GenStage in small).
///
///     class Samples : public Producer<Samples, Sample> {
///     public:
///         void handle_demand(std::size_t count) { emit(read_samples(count)); }
///     };
///     class Filter : public ProducerConsumer<Filter, Sample, Reading> {
///     public:
///         void init() { subscribe_to(name<Samples>, {.max_demand = 50}); }
///         void handle_events(std::vector<Sample> samples) { emit(filtered(samples)); }
///     };
///     class Uploader : public Consumer<Uploader, Reading> {
///     public:
///         void init() { subscribe_to(name<Filter>, {.max_demand = 10}); }
///         Async<> handle_events(std::vector<Reading> readings) { ... co_await upload(readings); }
///     };
///
/// A consumer asks for max_demand events, and for more when min_demand or fewer are still to come; a producer
/// gives what was asked for and no more. Events that come of themselves wait in the producer's buffer, whose
/// Overflow says what is dropped when it is full. Several consumers of one producer share its events.
/// Stages are servers: they may have calls, casts and infos of their own.
/// Threading: each stage is a process.
#pragma once

#include <sinew/otp/detail/stage_parts.hpp>
#include <sinew/otp/server.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <type_traits>
#include <utility>
#include <vector>

namespace sinew {

/// Derived has a public handle_demand(std::size_t count): so many more events are wanted; emit() them now or
/// later.
template<typename Derived, typename Event>
class Producer : public Server<Derived>, public detail::ProducerPart<Derived, Event> {};

/// Derived has a public handle_events(std::vector<Event>), which returns void or Async<>.
template<typename Derived, typename Event>
class Consumer : public Server<Derived>, public detail::ConsumerPart<Derived, Event> {
public:
    /// For the runtime.
    auto consume(detail::StageEvents<Event> message) {
        if constexpr (detail::is_async<decltype(derived().handle_events(std::move(message.events)))>) {
            return consume_async(std::move(message));
        } else {
            std::size_t const count = message.events.size();
            derived().handle_events(std::move(message.events));
            this->done(message.subscription, count);
        }
    }

private:
    [[nodiscard]] Derived& derived() noexcept { return static_cast<Derived&>(*this); }
    Async<> consume_async(detail::StageEvents<Event> message) {
        std::size_t const count = message.events.size();
        auto handling = derived().handle_events(std::move(message.events));
        co_await handling;
        this->done(message.subscription, count);
    }
};

/// Derived has a public handle_events(std::vector<In>) that returns void and calls emit(). It is called only
/// while its own consumers want something.
template<typename Derived, typename In, typename Out>
class ProducerConsumer : public Server<Derived>,
                         public detail::ProducerPart<Derived, Out>,
                         public detail::ConsumerPart<Derived, In> {
public:
    // For the runtime.
    void consume(detail::StageEvents<In> message) {
        m_waiting.push_back(std::move(message));
        work();
    }
    /// For the runtime.
    void handle_demand(std::size_t /*count*/) { work(); }

private:
    void work() {
        while (!m_waiting.empty() && this->demand() > 0) {
            detail::StageEvents<In> message = std::move(m_waiting.front());
            m_waiting.pop_front();
            std::size_t const count = message.events.size();
            static_assert(std::is_void_v<decltype(static_cast<Derived*>(this)->handle_events(
                              std::move(message.events)))>,
                          "handle_events() of a ProducerConsumer returns void");
            static_cast<Derived*>(this)->handle_events(std::move(message.events));
            this->done(message.subscription, count);
        }
    }
    std::deque<detail::StageEvents<In>> m_waiting;
};

} // namespace sinew
