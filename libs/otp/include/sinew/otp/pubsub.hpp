/// PubSub: messages to everyone who subscribed to a topic (Phoenix.PubSub).
///
///     (void)pubsub.subscribe<Reading>(self(), "garden/+/temperature");        // handle_info(Reading)
///     pubsub.broadcast("garden/north/temperature", Reading{21.5});
///
/// A topic is a text of levels divided by '/'. A subscription may be a pattern: '+' stands for one level, a
/// '#' at the end for any number of them (as in MQTT). Subscribing twice means getting it twice. A subscriber
/// gets the messages of its type only. Nobody needs to be there: a broadcast to no one is no error.
/// Messages of one sender to one subscriber arrive in order. A subscription ends with its process.
/// The bus itself is local; what carries messages to other nodes is a subscriber of "#" that calls
/// broadcast_from() for what it receives, so that nothing goes in circles.
/// Copies are handles of the same bus. Threading: subscribing: in a process; broadcasting: anywhere a node is
/// current, never blocks.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/otp/detail/pubsub_state.hpp>
#include <sinew/otp/server.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace sinew {

class PubSub {
public:
    /// A bus without subscribers.
    [[nodiscard]] static PubSub create() { return PubSub(); }

    /// Sends `self`, which must be the process whose handler runs, each M that is broadcast to a matching
    /// topic. `metadata` is for broadcast_if(). Errors: invalid_argument: an empty topic, a '#' that isn't
    /// the last level, a wildcard that shares its level; unavailable: the process is ending.
    template<typename M, typename S>
    Result<> subscribe(ServerRef<S> const& self, std::string topic, std::string metadata = {}) const {
        static_assert(HandlesInfo<S, M>, "this server has no public handle_info() for that message");
        return m_state->subscribe(std::move(topic),
                                  {self.pid(), &detail::info_ops<S, M>, std::move(metadata)});
    }
    /// Ends all of this process's subscriptions to exactly that topic or pattern.
    void unsubscribe(std::string const& topic) const { m_state->unsubscribe(topic); }

    /// Returns to how many.
    template<typename M>
    std::size_t broadcast(std::string_view topic, M const& message) const {
        return broadcast_if(topic, message, [](detail::Subscription const&) { return true; });
    }
    /// To all but the process whose handler runs.
    template<typename M>
    std::size_t broadcast_from(std::string_view topic, M const& message) const {
        return broadcast_if(topic, message,
                            [sender = sinew::self()](detail::Subscription const& subscription) {
                                return subscription.process != sender;
                            });
    }
    /// To those for which predicate(subscription) holds: its members are process and metadata.
    template<typename M, typename F>
    std::size_t broadcast_if(std::string_view topic, M const& message, F predicate) const {
        std::size_t count = 0;
        auto const subscriptions = m_state->match(topic);
        for (detail::Subscription const& subscription : *subscriptions) {
            if (*subscription.ops->type == typeid(M) && predicate(subscription)) {
                detail::deliver(subscription.process, detail::make_envelope<M>(*subscription.ops, message));
                ++count;
            }
        }
        return count;
    }
    /// How many subscriptions a broadcast to `topic` would look at.
    [[nodiscard]] std::size_t subscriber_count(std::string_view topic) const {
        return m_state->match(topic)->size();
    }

private:
    PubSub()
        : m_state(detail::PubSubState::create()) {}
    std::shared_ptr<detail::PubSubState> m_state;
};

} // namespace sinew
