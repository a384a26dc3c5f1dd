// The list against a plain one that does the same, and what registries ask of their keys.
#include <sinew/otp.hpp>
#include <sinew/otp/detail/member_list.hpp>
#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace sinew {
namespace {

/// Tells how often keys were compared.
struct CountedKey {
    int number = 0;
    static std::size_t& comparisons() {
        static std::size_t count = 0;
        return count;
    }
    friend bool operator==(CountedKey const& a, CountedKey const& b) {
        ++comparisons();
        return a.number == b.number;
    }
};

} // namespace
} // namespace sinew

template<>
struct std::hash<sinew::CountedKey> {
    std::size_t operator()(sinew::CountedKey const& key) const noexcept {
        return std::hash<int>{}(key.number);
    }
};

namespace sinew {
namespace {

struct Entry {
    Pid process;
    int value = 0;
    friend bool operator==(Entry const&, Entry const&) = default;
};

RC_GTEST_PROP(MemberList, agrees_with_a_list, ()) {
    detail::MemberList<Entry> members;
    std::vector<Entry> list;
    auto const range = *rc::gen::element<std::uint64_t>(2, 10, 100);
    auto const steps = *rc::gen::inRange(0, 300);
    for (int step = 0; step < steps; ++step) {
        Pid const pid(*rc::gen::inRange<std::uint64_t>(0, range), 1);
        switch (*rc::gen::inRange(0, 5)) {
        case 0:
            RC_ASSERT(members.remove(pid) ==
                      std::erase_if(list, [pid](Entry const& entry) { return entry.process == pid; }));
            break;
        case 1:
            RC_ASSERT(members.entries() == list);
            break;
        default:
            members.add({pid, step});
            list.push_back({pid, step});
        }
        RC_ASSERT(members.empty() == list.empty());
    }
    RC_ASSERT(members.entries() == list);
}

struct RegisterMany {
    using Reply = std::size_t;
};
constexpr int many = 4000;

template<typename Keys>
class Registrant : public Server<Registrant<Keys>> {
public:
    explicit Registrant(Keys keys)
        : m_keys(std::move(keys)) {}
    /// How many comparisons each unregistration took.
    std::size_t handle_call(RegisterMany /*request*/) {
        for (int i = 0; i < many; ++i) {
            (void)m_keys.register_key({i});
        }
        CountedKey::comparisons() = 0;
        for (int i = 0; i < many; ++i) {
            m_keys.unregister({many - 1 - (i + many / 2) % many});
        }
        return CountedKey::comparisons() / many;
    }

private:
    Keys m_keys;
};

TEST(Unregistering, costs_the_same_however_many_keys_a_process_has) {
    testing::Simulation simulation;
    auto const unique = Registry<CountedKey>::create();
    auto const one = simulation.node().start<Registrant<Registry<CountedKey>>>({}, unique).value();
    EXPECT_LE(call(one, RegisterMany{}).value(), 20U);
    EXPECT_EQ(unique.size(), 0U);
    auto const duplicate = DuplicateRegistry<CountedKey>::create();
    auto const other =
        simulation.node().start<Registrant<DuplicateRegistry<CountedKey>>>({}, duplicate).value();
    EXPECT_LE(call(other, RegisterMany{}).value(), 20U);
    EXPECT_TRUE(duplicate.keys(other).empty());
}

} // namespace
} // namespace sinew
