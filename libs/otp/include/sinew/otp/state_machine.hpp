/// StateMachine<Derived, State>: a process whose reactions depend on its state (OTP's gen_statem).
///
///     struct Locked { std::string entered; };
///     struct Open {};
///     class Door : public StateMachine<Door, std::variant<Locked, Open>> {
///     public:
///         void init() { start_in(Locked{}); }
///         void on_cast(Locked& locked, Digit const& digit) {
///             locked.entered += digit.value;
///             if (locked.entered == "1234") { transition_to(Open{}); }
///         }
///         void on_enter(Open&) { set_state_timeout(10s, Close{}); }
///         void on_cast(Open&, Digit const&) { postpone(); }
///         void on_timeout(Open&, Close const&) { transition_to(Locked{}); }
///         bool on_call(IsOpen const&) { return std::holds_alternative<Open>(state()); }
///     };
///
/// The state is a std::variant, and a handler takes the alternative it is for as its first argument
/// (gen_statem's state functions), or leaves it out and is for all others; or it is an enumeration, and
/// handlers look at state() (handle_event_function). Handlers are public overloads:
///   on_cast(M const&), on_info(M const&)     what cast() and send() bring; Exit and Down too
///   on_call(R const&) -> Reply               or on_call(R const&, Deferred<R>&) to answer later
///   on_timeout(M const&)                     what set_..._timeout() set
///   on_internal(M const&)                    what next_event() inserted
///   on_enter(Alternative&), on_enter(State previous)   the state was entered, also the first one; optional
/// An event that its state has no handler for ends the process, as in OTP. Handlers may not be Async<>; use
/// request().then(). Whatever else runs in the process (a continuation, init() after start_in()) may ask for
/// the same things, and ends like a handler: they are done before anything that is in the mailbox. It is no
/// event, though: it leaves an event timeout alone, and postpone() has nothing to keep.
/// Order: events inserted by next_event(), then postponed events (after a change of state, oldest first),
/// then timeouts of zero, then the mailbox. A change of state is another enumerator, or another alternative.
/// Threading: a process.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/otp/detail/state_machine_events.hpp>
#include <sinew/otp/server.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

namespace sinew {

template<typename Derived, typename State>
class StateMachine : public Server<Derived> {
public:
    template<typename M>
        requires detail::HandlesEvent<detail::OnCast, Derived, State, M>
    void handle_cast(M message) {
        run<detail::OnCast>(message);
    }
    template<typename M>
        requires detail::HandlesEvent<detail::OnInfo, Derived, State, M>
    void handle_info(M message) {
        run<detail::OnInfo>(message);
    }
    /// For the runtime.
    template<IsRequest R>
        requires detail::HandlesEvent<detail::OnCall, Derived, State, R> ||
                 detail::HandlesEvent<detail::OnCall, Derived, State, R, Deferred<R>>
    void handle_call(R request, Deferred<R> reply) {
        run_call(request, reply);
    }

    // The machine's own messages.
    struct RunQueue {};
    /// A timeout has come.
    struct TimeIsUp {
        /// Which one.
        std::uint64_t sequence = 0;
    };
    void handle_info(RunQueue /*message*/) {
        m_is_queue_announced = false;
        if (std::exchange(m_is_unsettled, false)) {
            m_is_handling = true;
            finish_event();
            return;
        }
        std::unique_ptr<Event> const event = std::move(m_queue.front());
        m_queue.pop_front();
        event->run(*this);
        if (!m_queue.empty()) {
            announce_queue();
        }
    }
    void handle_info(TimeIsUp message) { fire(message.sequence); }
    /// For the runtime, after init().
    [[nodiscard]] Result<> check_first_state() const {
        return m_state ? Result<>() : detail::no_first_state(typeid(Derived));
    }

protected:
    /// In init(), which fails without it: the first state; enters it.
    void start_in(State first) {
        m_state.emplace(std::move(first));
        m_is_handling = true;
        enter(*m_state);
        finish_event();
    }
    /// The state it is in.
    [[nodiscard]] State const& state() const { return m_state.value(); }
    /// After the handler: `next` is the state.
    void transition_to(State next) {
        refuse_in_enter("transition_to()");
        m_next.emplace(std::move(next));
        settle_soon();
    }
    /// After the handler: on_enter() again; nothing else changes.
    void repeat_state() {
        refuse_in_enter("repeat_state()");
        m_repeats = true;
        settle_soon();
    }
    /// Keeps the event for after the next change of state. What a call's handler returns is dropped.
    void postpone() {
        refuse_in_enter("postpone()");
        m_postpones = m_is_handling;
    }
    /// Handles `message` (on_internal) before any other event; several in the order they were inserted.
    template<typename M>
    void next_event(M message) {
        static_assert(detail::HandlesEvent<detail::OnInternal, Derived, State, M>,
                      "this state machine has no public on_internal() for that message");
        refuse_in_enter("next_event()");
        m_inserted.push_back(std::make_unique<MessageEvent<detail::OnInternal, M>>(std::move(message)));
        settle_soon();
    }

    // Timeouts call on_timeout(message). Setting one again starts it anew. Zero acts before any event that
    // the process hasn't received yet.
    /// Cancelled by any event.
    template<typename M>
    void set_event_timeout(Duration delay, M message) {
        set(Timeout::Kind::event, {}, delay, std::move(message));
    }
    /// Cancelled by a change of state; set in the handler that changes the state, it is the new state's.
    template<typename M>
    void set_state_timeout(Duration delay, M message) {
        set(Timeout::Kind::state, {}, delay, std::move(message));
    }
    /// Lives until it comes or is cancelled.
    template<typename M>
    void set_timeout(std::string_view name, Duration delay, M message) {
        set(Timeout::Kind::named, name, delay, std::move(message));
    }
    /// Replaces the message, not the time; starts one of zero when none runs.
    template<typename M>
    void update_state_timeout(M message) {
        update(Timeout::Kind::state, {}, std::move(message));
    }
    /// The same for a named one.
    template<typename M>
    void update_timeout(std::string_view name, M message) {
        update(Timeout::Kind::named, name, std::move(message));
    }
    /// They don't come any more.
    void cancel_event_timeout() { cancel(Timeout::Kind::event, {}); }
    /// See cancel_event_timeout().
    void cancel_state_timeout() { cancel(Timeout::Kind::state, {}); }
    /// See cancel_event_timeout().
    void cancel_timeout(std::string_view name) { cancel(Timeout::Kind::named, name); }

private:
    struct Event {
        Event() = default;
        Event(Event const&) = delete;
        Event& operator=(Event const&) = delete;
        Event(Event&&) = delete;
        Event& operator=(Event&&) = delete;
        virtual ~Event() = default;
        virtual void run(StateMachine& machine) = 0;
    };
    template<typename On, typename M>
    struct MessageEvent final : Event {
        explicit MessageEvent(M event_message)
            : message(std::move(event_message)) {}
        void run(StateMachine& machine) override { machine.template run<On>(message); }
        M message;
    };
    template<typename R>
    struct CallEvent final : Event {
        CallEvent(R call_request, Deferred<R> call_reply)
            : request(std::move(call_request))
            , reply(std::move(call_reply)) {}
        void run(StateMachine& machine) override { machine.run_call(request, reply); }
        R request;
        Deferred<R> reply;
    };
    /// A timeout of zero, in the queue; it may have been cancelled meanwhile.
    struct ZeroTimeout final : Event {
        explicit ZeroTimeout(std::uint64_t timeout_sequence)
            : sequence(timeout_sequence) {}
        void run(StateMachine& machine) override { machine.fire(sequence); }
        std::uint64_t sequence;
    };
    struct Timeout {
        enum class Kind : std::uint8_t { event, state, named };
        Kind kind = Kind::event;
        std::string name;
        std::uint64_t sequence = 0;
        Timer timer;
        std::unique_ptr<Event> event;
    };

    [[nodiscard]] Derived& derived() noexcept { return static_cast<Derived&>(*this); }
    void refuse_in_enter(char const* function) const {
        if (m_is_entering) {
            throw std::logic_error(std::string("sinew: ") + function + " is not for on_enter()");
        }
    }

    template<typename On, typename M>
    void run(M& message) {
        begin_event();
        detail::dispatch_event<On>(derived(), m_state.value(), message);
        if (std::exchange(m_postpones, false)) {
            m_postponed.push_back(std::make_unique<MessageEvent<On, M>>(std::move(message)));
        }
        finish_event();
    }
    template<typename R>
    void run_call(R& request, Deferred<R>& reply) {
        begin_event();
        detail::dispatch_call(derived(), m_state.value(), request, reply, m_postpones);
        if (std::exchange(m_postpones, false)) {
            m_postponed.push_back(std::make_unique<CallEvent<R>>(std::move(request), std::move(reply)));
        }
        finish_event();
    }
    void begin_event() {
        cancel(Timeout::Kind::event, {});
        m_is_handling = true;
    }
    void finish_event() {
        bool const repeats = std::exchange(m_repeats, false);
        std::optional<State> const previous = change_state();
        put_in_front(m_inserted);
        if (previous) {
            enter(*previous);
        } else if (repeats) {
            enter(*m_state);
        }
        m_is_handling = false;
        m_first_sequence = m_next_sequence;
        if (!m_queue.empty()) {
            announce_queue();
        }
    }
    /// The state that it was in, if it is in another one now.
    [[nodiscard]] std::optional<State> change_state() {
        if (!m_next) {
            return std::nullopt;
        }
        State previous = std::exchange(*m_state, *std::exchange(m_next, std::nullopt));
        if (!detail::is_other_state(previous, *m_state)) {
            return std::nullopt;
        }
        cancel_old_state_timeout();
        put_in_front(m_postponed);
        return previous;
    }
    void enter(State const& previous) {
        m_is_entering = true;
        detail::dispatch_enter(derived(), *m_state, previous);
        m_is_entering = false;
    }
    /// Outside an event's handler: what was asked for is done when that has ended.
    void settle_soon() {
        if (!m_is_handling) {
            m_is_unsettled = true;
            announce_queue();
        }
    }
    void put_in_front(std::vector<std::unique_ptr<Event>>& events) {
        m_queue.insert(m_queue.begin(), std::make_move_iterator(events.begin()),
                       std::make_move_iterator(events.end()));
        events.clear();
    }
    /// What was asked for, or one event of the queue, comes before the mailbox.
    void announce_queue() {
        if (!std::exchange(m_is_queue_announced, true)) {
            this->continue_with(RunQueue{});
        }
    }

    template<typename M>
    void set(Timeout::Kind kind, std::string_view name, Duration delay, M message) {
        static_assert(detail::HandlesEvent<detail::OnTimeout, Derived, State, M>,
                      "this state machine has no public on_timeout() for that message");
        cancel(kind, name);
        Timeout timeout{.kind = kind,
                        .name = std::string(name),
                        .sequence = m_next_sequence++,
                        .timer = {},
                        .event = std::make_unique<MessageEvent<detail::OnTimeout, M>>(std::move(message))};
        if (delay <= Duration(0)) {
            m_queue.push_back(std::make_unique<ZeroTimeout>(timeout.sequence));
        } else {
            timeout.timer = this->send_after(delay, TimeIsUp{timeout.sequence});
        }
        m_timeouts.push_back(std::move(timeout));
        settle_soon();
    }
    template<typename M>
    void update(Timeout::Kind kind, std::string_view name, M message) {
        auto const found = find(kind, name);
        if (found == m_timeouts.end()) {
            set(kind, name, Duration(0), std::move(message));
            return;
        }
        found->event = std::make_unique<MessageEvent<detail::OnTimeout, M>>(std::move(message));
    }
    [[nodiscard]] auto find(Timeout::Kind kind, std::string_view name) {
        return std::ranges::find_if(
            m_timeouts, [&](Timeout const& timeout) { return timeout.kind == kind && timeout.name == name; });
    }
    void cancel(Timeout::Kind kind, std::string_view name) {
        if (auto const found = find(kind, name); found != m_timeouts.end()) {
            (void)sinew::cancel(found->timer);
            m_timeouts.erase(found);
        }
    }
    /// One that the handler of the change set stays.
    void cancel_old_state_timeout() {
        auto const found = find(Timeout::Kind::state, {});
        if (found != m_timeouts.end() && found->sequence < m_first_sequence) {
            (void)sinew::cancel(found->timer);
            m_timeouts.erase(found);
        }
    }
    void fire(std::uint64_t sequence) {
        auto const found = std::ranges::find(m_timeouts, sequence, &Timeout::sequence);
        if (found != m_timeouts.end()) {
            std::unique_ptr<Event> const event = std::move(found->event);
            m_timeouts.erase(found);
            event->run(*this);
        }
    }

    std::optional<State> m_state;
    std::optional<State> m_next;
    std::deque<std::unique_ptr<Event>> m_queue;
    std::vector<std::unique_ptr<Event>> m_postponed;
    std::vector<std::unique_ptr<Event>> m_inserted;
    std::vector<Timeout> m_timeouts;
    std::uint64_t m_next_sequence = 1;
    /// Timeouts from here on were set by the handler (or what else runs) in progress.
    std::uint64_t m_first_sequence = 1;
    bool m_postpones = false;
    bool m_repeats = false;
    bool m_is_handling = false;
    bool m_is_entering = false;
    /// Something was asked for outside a handler.
    bool m_is_unsettled = false;
    bool m_is_queue_announced = false;
};

} // namespace sinew
