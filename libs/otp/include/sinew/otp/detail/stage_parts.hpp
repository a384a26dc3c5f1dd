/// The two halves of a stage: ProducerPart gives events to consumers that asked, ConsumerPart asks for them.
///
/// Invariant: a producer never sends more than was asked for. Either side hears of the other's end through a
/// path that the other holds and that is answered when it is destroyed.
/// Threading: each part in its own process; they talk by messages.
#pragma once

#include <sinew/base/detail/std_function.hpp>
#include <sinew/otp/async.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/pending.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/name.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/server.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace sinew {

/// What a producer does with events that nobody asked for when its buffer is full.
enum class Overflow : std::uint8_t { drop_oldest, drop_newest };

struct BufferOptions {
    std::size_t limit = 10'000;
    Overflow overflow = Overflow::drop_oldest;
};

/// What the end of a subscription means for the consumer.
enum class CancelMode : std::uint8_t {
    /// It stops, too.
    permanent,
    /// It stops when the producer ended out of order.
    transient,
    /// It goes on.
    temporary
};

struct DemandOptions {
    /// So many events are asked for at most...
    std::size_t max_demand = 1000;
    /// ... and more when no more than these are still to come. Default: half.
    std::size_t min_demand = ~std::size_t{0};
    CancelMode cancel = CancelMode::permanent;
};

namespace detail {

/// A path whose end is told once: `function` gets the reason (normal: it was answered).
[[nodiscard]] ReplyPath path_with_end(std::function<void(ExitReason const&)> function);
/// Answers the other side's path.
void end_path(ReplyPath& path);

template<typename S, typename M>
void deliver_to_producer(void* state, Envelope& envelope) {
    PayloadScope<M> message(envelope);
    static_cast<S*>(state)->handle_stage(std::move(*message));
}
template<typename S, typename M>
void deliver_to_consumer(void* state, Envelope& envelope) {
    PayloadScope<M> message(envelope);
    run_handler([&] { return static_cast<S*>(state)->handle_source(std::move(*message)); });
}
template<typename S, typename M>
inline constexpr MessageOps producer_ops{
    .deliver = &deliver_to_producer<S, M>, .discard = &discard_payload<M>, .type = &typeid(M)};
template<typename S, typename M>
inline constexpr MessageOps consumer_ops{
    .deliver = &deliver_to_consumer<S, M>, .discard = &discard_payload<M>, .type = &typeid(M)};

struct StageKey {
    Pid process;
    std::uint64_t number = 0;
    friend bool operator==(StageKey const&, StageKey const&) = default;
};
template<typename Event>
struct StageEvents {
    std::uint64_t subscription = 0;
    std::vector<Event> events;
};
/// The producer's answer to a subscription: holds the consumer's end.
struct StageJoined {
    std::uint64_t subscription = 0;
    ReplyPath consumer_end;
};
struct StageJoin {
    StageKey consumer;
    MessageOps const* events_ops = nullptr;
    MessageOps const* joined_ops = nullptr;
    ReplyPath producer_end;
};
struct StageAsk {
    StageKey consumer;
    std::size_t count = 0;
};
struct StageLeave {
    StageKey consumer;
};

template<typename Derived, typename Event>
class ProducerPart {
public:
    using Produces = Event;
    void handle_stage(StageJoin join) {
        StageKey const key = join.consumer;
        ReplyPath consumer_end = path_with_end([this, key](ExitReason const& /*reason*/) { forget(key); });
        deliver(key.process,
                make_envelope<StageJoined>(*join.joined_ops, key.number, std::move(consumer_end)));
        m_consumers.push_back(Consumer{key, join.events_ops, std::move(join.producer_end), 0});
    }
    void handle_stage(StageAsk ask) {
        auto const consumer = std::ranges::find(m_consumers, ask.consumer, &Consumer::key);
        if (consumer == m_consumers.end()) {
            return;
        }
        consumer->demand += ask.count;
        std::size_t const from_buffer = std::min(ask.count, m_buffer.size());
        give_from_buffer();
        if (ask.count > from_buffer) {
            static_cast<Derived*>(this)->handle_demand(ask.count - from_buffer);
        }
    }
    void handle_stage(StageLeave leave) { forget(leave.consumer); }

protected:
    ProducerPart() = default;
    ~ProducerPart() = default;
    /// Gives the events to consumers that asked, most demand first; what nobody asked for waits in the
    /// buffer.
    void emit(std::vector<Event> events) {
        m_buffer.insert(m_buffer.end(), std::make_move_iterator(events.begin()),
                        std::make_move_iterator(events.end()));
        give_from_buffer();
        drop_overflow();
    }
    /// How many events were asked for and not given yet.
    [[nodiscard]] std::size_t demand() const noexcept {
        std::size_t sum = 0;
        for (Consumer const& consumer : m_consumers) {
            sum += consumer.demand;
        }
        return sum;
    }
    void set_buffer(BufferOptions options) { m_options = options; }
    [[nodiscard]] std::size_t buffered() const noexcept { return m_buffer.size(); }
    /// How many events the buffer had to drop.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return m_dropped; }

private:
    struct Consumer {
        StageKey key;
        MessageOps const* events_ops = nullptr;
        ReplyPath producer_end;
        std::size_t demand = 0;
    };
    void give_from_buffer() {
        while (!m_buffer.empty()) {
            auto const consumer = std::ranges::max_element(m_consumers, {}, &Consumer::demand);
            if (consumer == m_consumers.end() || consumer->demand == 0) {
                return;
            }
            std::size_t const count = std::min(consumer->demand, m_buffer.size());
            auto const end = m_buffer.begin() + static_cast<std::ptrdiff_t>(count);
            std::vector<Event> events(std::make_move_iterator(m_buffer.begin()),
                                      std::make_move_iterator(end));
            m_buffer.erase(m_buffer.begin(), end);
            consumer->demand -= count;
            deliver(consumer->key.process,
                    make_envelope<StageEvents<Event>>(*consumer->events_ops, consumer->key.number,
                                                      std::move(events)));
        }
    }
    void drop_overflow() {
        if (m_buffer.size() <= m_options.limit) {
            return;
        }
        std::size_t const excess = m_buffer.size() - m_options.limit;
        if (m_options.overflow == Overflow::drop_oldest) {
            m_buffer.erase(m_buffer.begin(), m_buffer.begin() + static_cast<std::ptrdiff_t>(excess));
        } else {
            m_buffer.resize(m_options.limit);
        }
        if (m_dropped == 0) {
            log::warning("the buffer of " + std::to_string(m_options.limit) +
                         " events is full; events are dropped");
        }
        m_dropped += excess;
    }
    void forget(StageKey const& key) {
        auto const consumer = std::ranges::find(m_consumers, key, &Consumer::key);
        if (consumer != m_consumers.end()) {
            end_path(consumer->producer_end);
            m_consumers.erase(consumer);
        }
    }

    std::vector<Consumer> m_consumers;
    std::deque<Event> m_buffer;
    BufferOptions m_options;
    std::uint64_t m_dropped = 0;
};

template<typename Derived, typename Event>
class ConsumerPart {
public:
    using Consumes = Event;
    /// Names one subscription of this consumer.
    struct SubscriptionId {
        std::uint64_t value = 0;
    };
    auto handle_source(StageEvents<Event> message) {
        if constexpr (is_async<decltype(static_cast<Derived*>(this)->consume(std::move(message)))>) {
            return static_cast<Derived*>(this)->consume(std::move(message));
        } else {
            static_cast<Derived*>(this)->consume(std::move(message));
        }
    }
    void handle_source(StageJoined message) {
        if (Subscription* const subscription = find(message.subscription)) {
            subscription->consumer_end = std::move(message.consumer_end);
        }
    }

protected:
    ConsumerPart() = default;
    ~ConsumerPart() = default;
    /// Asks `producer` for events until one of both ends, or cancel_subscription().
    template<Target P>
    SubscriptionId subscribe_to(P const& producer, DemandOptions options = {}) {
        using Source = typename P::ServerType;
        static_assert(std::is_same_v<typename Source::Produces, Event>,
                      "this producer does not produce what the consumer consumes");
        options.min_demand = std::min(options.min_demand, options.max_demand / 2);
        std::uint64_t const number = m_next++;
        Pid const pid = resolve(producer);
        m_subscriptions.push_back(Subscription{.number = number,
                                               .producer = pid,
                                               .ask_ops = &producer_ops<Source, StageAsk>,
                                               .leave_ops = &producer_ops<Source, StageLeave>,
                                               .options = options});
        deliver(pid, make_envelope<StageJoin>(
                         producer_ops<Source, StageJoin>, StageKey{sinew::self(), number},
                         &consumer_ops<Derived, StageEvents<Event>>, &consumer_ops<Derived, StageJoined>,
                         path_with_end([this, number](ExitReason const& reason) { ended(number, reason); })));
        ask(m_subscriptions.back(), options.max_demand);
        return {number};
    }
    void cancel_subscription(SubscriptionId id) {
        if (Subscription const* const subscription = find(id.value)) {
            deliver(subscription->producer,
                    make_envelope<StageLeave>(*subscription->leave_ops, StageKey{sinew::self(), id.value}));
            erase(id.value);
        }
    }
    /// `count` events of that subscription are done: asks for more when few are left to come.
    void done(std::uint64_t number, std::size_t count) {
        Subscription* const subscription = find(number);
        if (subscription == nullptr) {
            return;
        }
        subscription->outstanding -= std::min(count, subscription->outstanding);
        if (subscription->outstanding <= subscription->options.min_demand) {
            ask(*subscription, subscription->options.max_demand - subscription->outstanding);
        }
    }

private:
    struct Subscription {
        std::uint64_t number = 0;
        Pid producer;
        MessageOps const* ask_ops = nullptr;
        MessageOps const* leave_ops = nullptr;
        DemandOptions options;
        /// Asked for, and not done yet.
        std::size_t outstanding = 0;
        ReplyPath consumer_end = {};
    };
    [[nodiscard]] Subscription* find(std::uint64_t number) noexcept {
        auto const found = std::ranges::find(m_subscriptions, number, &Subscription::number);
        return found != m_subscriptions.end() ? &*found : nullptr;
    }
    void erase(std::uint64_t number) {
        std::erase_if(m_subscriptions, [number](Subscription const& one) { return one.number == number; });
    }
    void ask(Subscription& subscription, std::size_t count) {
        subscription.outstanding += count;
        deliver(subscription.producer,
                make_envelope<StageAsk>(*subscription.ask_ops, StageKey{sinew::self(), subscription.number},
                                        count));
    }
    void ended(std::uint64_t number, ExitReason const& reason) {
        Subscription const* const subscription = find(number);
        if (subscription == nullptr) {
            return; // This side cancelled it.
        }
        CancelMode const mode = subscription->options.cancel;
        erase(number);
        if (mode == CancelMode::permanent || (mode == CancelMode::transient && !reason.is_orderly())) {
            stop_self(reason);
        }
    }

    std::vector<Subscription> m_subscriptions;
    std::uint64_t m_next = 1;
};

} // namespace detail
} // namespace sinew
