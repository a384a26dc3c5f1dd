// Tables: kinds, access, ownership and heirs, atomic rows, and readers beside writers.
#include "world.hpp"

#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sinew::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

using Numbers = Table<std::string, int>;
using Sorted = Table<std::string, int, TableKind::ordered_set>;
using Bag = Table<std::string, int, TableKind::bag>;
using DuplicateBag = Table<std::string, int, TableKind::duplicate_bag>;

TEST(Tables, of_kind_set_have_one_row_a_key) {
    auto const table = Numbers::create();
    EXPECT_EQ(table.lookup("a"), std::nullopt);
    ASSERT_TRUE(table.insert("a", 1));
    ASSERT_TRUE(table.insert("a", 2));
    EXPECT_EQ(table.lookup("a"), 2);
    EXPECT_EQ(table.size(), 1U);
    EXPECT_TRUE(table.contains("a"));
    ASSERT_TRUE(table.erase("a"));
    EXPECT_FALSE(table.contains("a"));
    EXPECT_EQ(table.size(), 0U);
}

TEST(Tables, of_kind_bag_refuse_a_second_equal_row_silently) {
    auto const table = Bag::create();
    for (int const value : {1, 2, 1}) {
        ASSERT_TRUE(table.insert("a", value));
    }
    EXPECT_THAT(table.lookup("a"), ElementsAre(1, 2));
    ASSERT_TRUE(table.erase_row("a", 1));
    EXPECT_THAT(table.lookup("a"), ElementsAre(2));
    ASSERT_TRUE(table.erase_row("a", 2));
    EXPECT_FALSE(table.contains("a"));
}

TEST(Tables, of_kind_duplicate_bag_keep_every_row) {
    auto const table = DuplicateBag::create();
    for (int const value : {1, 2, 1}) {
        ASSERT_TRUE(table.insert("a", value));
    }
    EXPECT_THAT(table.lookup("a"), ElementsAre(1, 2, 1));
    EXPECT_THAT(table.take("a").value(), ElementsAre(1, 2, 1));
    EXPECT_THAT(table.lookup("a"), IsEmpty());
}

TEST(Tables, of_kind_ordered_set_are_walked_in_order) {
    auto const table = Sorted::create();
    for (char const* const key : {"d", "a", "c", "e", "b"}) {
        ASSERT_TRUE(table.insert(key, *key));
    }
    std::string keys;
    table.for_each([&keys](std::string const& key, int) { keys += key; });
    EXPECT_EQ(keys, "abcde");
    EXPECT_THAT(table.from("bb", 2), ElementsAre(Pair("c", 'c'), Pair("d", 'd')));
    EXPECT_THAT(table.from("f", 2), IsEmpty());
    EXPECT_THAT(table.from("a", 0), IsEmpty());
}

TEST(Tables, insert_new_puts_a_row_only_if_there_is_none) {
    auto const table = Numbers::create();
    EXPECT_TRUE(table.insert_new("a", 1).value());
    EXPECT_FALSE(table.insert_new("a", 2).value());
    EXPECT_EQ(table.lookup("a"), 1);
}

TEST(Tables, take_gives_the_row_once) {
    auto const table = Numbers::create();
    ASSERT_TRUE(table.insert("a", 1));
    EXPECT_EQ(table.take("a").value(), std::optional(1));
    EXPECT_EQ(table.take("a").value(), std::nullopt);
}

TEST(Tables, update_counter_starts_at_its_first_value) {
    auto const table = Numbers::create();
    EXPECT_EQ(table.update_counter("hits", 2).value(), 2);
    EXPECT_EQ(table.update_counter("hits", -5).value(), -3);
    EXPECT_EQ(table.update_counter("tens", 1, 10).value(), 11);
}

TEST(Tables, update_leaves_the_row_as_it_was_when_the_function_throws) {
    auto const table = Numbers::create();
    ASSERT_TRUE(table.insert("a", 1));
    EXPECT_THROW((void)table.update("a",
                                    [](int& value) {
                                        value = 2;
                                        throw std::runtime_error("no");
                                    }),
                 std::runtime_error);
    EXPECT_EQ(table.lookup("a"), 1);
    EXPECT_TRUE(table.update("a", [](int& value) { ++value; }).value());
    EXPECT_EQ(table.lookup("a"), 2);
    EXPECT_FALSE(table.update("b", [](int&) {}).value());
}

TEST(Tables, select_finds_the_rows_that_a_predicate_holds_for) {
    auto const table = Numbers::create();
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(table.insert("k" + std::to_string(i), i));
    }
    EXPECT_THAT(table.select([](std::string const&, int value) { return value > 7; }),
                UnorderedElementsAre(Pair("k8", 8), Pair("k9", 9)));
    ASSERT_TRUE(table.clear());
    EXPECT_EQ(table.size(), 0U);
    ASSERT_TRUE(table.insert("again", 1));
    EXPECT_EQ(table.lookup("again"), 1);
}

template<typename T>
void behaves_like_a_map(std::vector<std::pair<std::uint8_t, int>> const& changes) {
    auto const table = T::create();
    std::map<int, int> model;
    for (auto const& [key, value] : changes) {
        if (value % 3 == 0) {
            RC_ASSERT(table.erase(key).has_value());
            model.erase(key);
        } else {
            RC_ASSERT(table.insert(key, value).has_value());
            model[key] = value;
        }
        RC_ASSERT(table.size() == model.size());
    }
    for (int key = 0; key < 256; ++key) {
        auto const found = model.find(key);
        RC_ASSERT(table.lookup(key) == (found != model.end() ? std::optional(found->second) : std::nullopt));
    }
    std::map<int, int> walked;
    table.for_each([&walked](int key, int value) { RC_ASSERT(walked.emplace(key, value).second); });
    RC_ASSERT(walked == model);
}

RC_GTEST_PROP(Tables, of_kind_set_behave_like_a_map, ()) {
    behaves_like_a_map<Table<int, int>>(*rc::gen::arbitrary<std::vector<std::pair<std::uint8_t, int>>>());
}
RC_GTEST_PROP(Tables, of_kind_ordered_set_behave_like_a_map, ()) {
    behaves_like_a_map<Table<int, int, TableKind::ordered_set>>(
        *rc::gen::arbitrary<std::vector<std::pair<std::uint8_t, int>>>());
}

class TablesOfProcesses : public WorldTest {};
SINEW_IN_BOTH_WORLDS(TablesOfProcesses);

TEST_P(TablesOfProcesses, are_readable_by_all_and_writable_by_their_owner) {
    std::optional<Numbers> table;
    auto const owner = start("owner");
    in(owner, [&table](Probe&) {
        table = Numbers::create({.name = "readings"});
        ASSERT_TRUE(table->insert("a", 1));
    });
    EXPECT_EQ(table->owner(), owner.pid());
    EXPECT_EQ(table->lookup("a"), 1);
    auto const refused = table->insert("a", 2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::denied);
    EXPECT_THAT(refused.error().message(), HasSubstr("'readings'"));
    EXPECT_EQ(table->take("a").error().code(), ErrorCode::denied);
    EXPECT_EQ(table->lookup("a"), 1);
}

TEST_P(TablesOfProcesses, can_be_open_to_all_or_closed_to_all_others) {
    std::optional<Numbers> open;
    std::optional<Numbers> closed;
    in(start("owner"), [&](Probe&) {
        open = Numbers::create({.access = TableAccess::everyone});
        closed = Numbers::create({.access = TableAccess::owner_only});
        ASSERT_TRUE(closed->insert("a", 1));
        EXPECT_EQ(closed->lookup("a"), 1);
    });
    EXPECT_TRUE(open->insert("a", 1));
    EXPECT_EQ(closed->lookup("a"), std::nullopt);
    EXPECT_EQ(closed->size(), 0U);
    EXPECT_FALSE(closed->insert("a", 2));
}

TEST_P(TablesOfProcesses, lose_their_rows_with_their_owner) {
    std::optional<Numbers> table;
    auto const owner = start("owner");
    in(owner, [&table](Probe&) {
        table = Numbers::create({.access = TableAccess::everyone});
        (void)table->insert("a", 1);
    });
    EXPECT_TRUE(table->is_alive());
    exit(owner, ExitReason::kill());
    world.settle();
    EXPECT_FALSE(table->is_alive());
    EXPECT_EQ(table->lookup("a"), std::nullopt);
    auto const refused = table->insert("a", 1);
    EXPECT_EQ(refused.error().code(), ErrorCode::unavailable);
}

TEST_P(TablesOfProcesses, are_gone_before_anyone_hears_of_their_owners_end) {
    std::optional<Numbers> table;
    auto const owner = start("owner");
    in(owner, [&table](Probe&) { table = Numbers::create(); });
    class Witness : public Server<Witness> {
    public:
        Witness(Pid pid, Numbers table, Journal& journal)
            : m_table(std::move(table))
            , m_journal(&journal) {
            monitor(pid);
        }
        void handle_info(Down /*message*/) { m_journal->add(m_table.is_alive() ? "alive" : "gone"); }

    private:
        Numbers m_table;
        Journal* m_journal;
    };
    (void)world.node().start<Witness>({}, owner.pid(), *table, std::ref(journal)).value();
    exit(owner, ExitReason::kill());
    EXPECT_THAT(lines(), ElementsAre("gone"));
}

class Heir : public Server<Heir> {
public:
    explicit Heir(Journal& journal)
        : m_journal(&journal) {}
    void handle_info(TableTransfer<Numbers> transfer) {
        m_journal->add("got " + std::to_string(transfer.table.lookup("a").value_or(-1)));
        m_journal->add(transfer.table.insert("a", 2) ? "may write" : "may not write");
    }

private:
    Journal* m_journal;
};

TEST_P(TablesOfProcesses, go_to_their_heir_with_all_rows) {
    auto const heir = world.node().start<Heir>({}, std::ref(journal)).value();
    std::optional<Numbers> table;
    auto const owner = start("owner");
    in(owner, [&](Probe&) {
        table = Numbers::create({.heir = heir});
        (void)table->insert("a", 1);
    });
    exit(owner, ExitReason::kill());
    EXPECT_THAT(lines(), ElementsAre("got 1", "may write"));
    EXPECT_EQ(table->owner(), heir.pid());
    exit(heir, ExitReason::kill());
    world.settle();
    EXPECT_FALSE(table->is_alive());
}

TEST_P(TablesOfProcesses, with_a_dead_heir_are_gone) {
    auto const heir = world.node().start<Heir>({}, std::ref(journal)).value();
    std::optional<Numbers> table;
    auto const owner = start("owner");
    in(owner, [&](Probe&) { table = Numbers::create({.heir = heir}); });
    exit(heir, ExitReason::kill());
    world.settle();
    exit(owner, ExitReason::kill());
    world.settle();
    EXPECT_FALSE(table->is_alive());
}

TEST_P(TablesOfProcesses, can_be_given_away_by_their_owner_only) {
    auto const heir = world.node().start<Heir>({}, std::ref(journal)).value();
    std::optional<Numbers> table;
    auto const owner = start("owner");
    in(owner, [&](Probe&) {
        table = Numbers::create();
        (void)table->insert("a", 1);
    });
    EXPECT_EQ(table->give_to(heir).error().code(), ErrorCode::denied);
    in(owner, [&](Probe&) { EXPECT_TRUE(table->give_to(heir)); });
    EXPECT_THAT(lines(), ElementsAre("got 1", "may write"));
    exit(owner, ExitReason::kill());
    world.settle();
    EXPECT_TRUE(table->is_alive());
}

// Threads that read while another changes, grows and shrinks the table: each row is seen whole.
template<typename T>
void readers_see_whole_rows() {
    auto const table = T::create({.access = TableAccess::everyone});
    std::atomic<bool> is_done{false};
    std::atomic<std::size_t> found{0};
    auto const read = [&] {
        while (!is_done.load(std::memory_order_relaxed)) {
            for (int key = 0; key < 64; ++key) {
                if (auto const row = table.lookup(key)) {
                    EXPECT_TRUE(std::ranges::all_of(*row, [&](char c) { return c == row->front(); }));
                    found.fetch_add(1, std::memory_order_relaxed);
                }
            }
            std::size_t count = 0;
            table.for_each([&count](int, std::string const& row) { count += row.size() == 40 ? 1 : 0; });
            EXPECT_LE(count, 64U);
        }
    };
    std::thread first(read);
    std::thread second(read);
    for (int round = 0; round < 300 || (found.load() == 0 && round < 100'000); ++round) {
        for (int key = 0; key < 64; ++key) {
            (void)table.insert(key, std::string(40, static_cast<char>('a' + round % 26)));
        }
        for (int key = round % 2; key < 64; key += 2) {
            (void)table.erase(key);
        }
    }
    is_done = true;
    first.join();
    second.join();
    EXPECT_GT(found.load(), 0U);
}

TEST(TablesUnderLoad, of_kind_set_show_whole_rows_to_readers) {
    readers_see_whole_rows<Table<int, std::string>>();
}
TEST(TablesUnderLoad, of_kind_ordered_set_show_whole_rows_to_readers) {
    readers_see_whole_rows<Table<int, std::string, TableKind::ordered_set>>();
}

TEST(TablesUnderLoad, lose_no_update_of_a_counter) {
    auto const table = Table<int, int>::create({.access = TableAccess::everyone});
    auto const count = [&table] {
        for (int i = 0; i < 2000; ++i) {
            (void)table.update_counter(i % 3, 1);
        }
    };
    std::thread first(count);
    std::thread second(count);
    first.join();
    second.join();
    EXPECT_EQ(*table.lookup(0) + *table.lookup(1) + *table.lookup(2), 4000);
}

} // namespace
} // namespace sinew::testing
