/// PubSubState: who subscribed to what.
///
/// Invariant: a list that match() returned never changes; the list of a topic is made again when its
/// subscriptions, or any pattern, changed. Threading: any thread; one lock, never held while delivering.
#pragma once

#include <sinew/base/result.hpp>
#include <sinew/otp/detail/envelope.hpp>
#include <sinew/otp/detail/flat_table.hpp>
#include <sinew/otp/detail/member_list.hpp>
#include <sinew/otp/detail/registry_keys.hpp>
#include <sinew/otp/pid.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sinew::detail {

struct Subscription {
    Pid process;
    /// Delivers one message type to that process's class.
    MessageOps const* ops = nullptr;
    std::string metadata;
};

class PubSubState final : public RegistryKeys<std::string>::Entries {
public:
    using List = std::shared_ptr<std::vector<Subscription> const>;
    [[nodiscard]] static std::shared_ptr<PubSubState> create();
    Result<> subscribe(std::string topic, Subscription subscription);
    /// The current process's.
    void unsubscribe(std::string const& topic);
    [[nodiscard]] List match(std::string_view topic);
    void remove(std::string const& topic, Pid process) override;

private:
    struct Topic {
        MemberList<Subscription> subscriptions;
        List list;
        /// The value of m_pattern_changes that `list` was made at.
        std::uint64_t made_at = 0;
    };
    struct Hash {
        using is_transparent = void; // NOLINT(readability-identifier-naming): the library's name
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };
    PubSubState()
        : m_topics_of("pub/sub") {}
    [[nodiscard]] List make_list(std::string_view name, std::vector<Subscription> subscriptions);

    RegistryKeys<std::string> m_topics_of;
    std::mutex m_mutex;
    std::unordered_map<std::string, Topic, Hash, std::equal_to<>> m_topics;
    FlatTable<std::string, MemberList<Subscription>> m_patterns;
    std::uint64_t m_pattern_changes = 0;
};

/// Whether `pattern` is more than a topic.
[[nodiscard]] bool is_topic_pattern(std::string_view pattern) noexcept;
[[nodiscard]] Result<> check_topic(std::string_view pattern);
[[nodiscard]] bool matches_topic(std::string_view pattern, std::string_view topic) noexcept;

} // namespace sinew::detail
