// Where blocks come from and go back to. A node's own are seen only without the address sanitizer, under which
// each block is an allocation of its own.
#include "core/block_pool.hpp"
#include "world.hpp"

#include <sinew/otp.hpp>
#include <sinew/otp/simulation.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace sinew::detail {
namespace {

constexpr std::size_t blocks_per_slab = (BlockDepot::slab_bytes - block_step) / 64;

std::vector<FreeBlock*> take_chains(BlockDepot& depot, std::size_t count) {
    std::vector<FreeBlock*> chains;
    for (std::size_t i = 0; i < count; ++i) {
        chains.push_back(depot.take_chain());
    }
    return chains;
}
void give_chains(BlockDepot& depot, std::vector<FreeBlock*> const& chains) {
    for (FreeBlock* const chain : chains) {
        depot.give_chain(chain);
    }
}
/// Of all sizes, in all depots of the program.
std::size_t mapped_bytes() {
    std::size_t sum = 0;
    for (std::size_t size_class = 0; size_class < block_classes; ++size_class) {
        sum += BlockDepot::of(size_class).mapped_bytes();
    }
    return sum;
}

TEST(BlockDepot, keeps_what_a_burst_needed_until_it_is_trimmed) {
    BlockDepot depot(64);
    auto const chains = take_chains(depot, 100);
    EXPECT_EQ(depot.takes(), 100U);
    EXPECT_EQ(depot.idle_bytes(), 0U);
    std::size_t const mapped = depot.mapped_bytes();
    EXPECT_GE(mapped, 100 * BlockDepot::chain_length * 64);
    give_chains(depot, chains);
    EXPECT_EQ(depot.idle_bytes(), 100 * BlockDepot::chain_length * 64);
    EXPECT_EQ(depot.mapped_bytes(), mapped);
    depot.trim_all();
    EXPECT_EQ(depot.idle_bytes(), 0U);
    EXPECT_EQ(depot.mapped_bytes(), 0U);
}

TEST(BlockDepot, is_trimmed_a_chain_at_a_time) {
    BlockDepot depot(256);
    give_chains(depot, take_chains(depot, 3));
    EXPECT_TRUE(depot.trim());
    EXPECT_TRUE(depot.trim());
    EXPECT_TRUE(depot.trim());
    EXPECT_FALSE(depot.trim());
    EXPECT_EQ(depot.mapped_bytes(), 0U);
}

TEST(BlockDepot, keeps_the_slab_of_a_block_that_is_in_use_and_no_other) {
    BlockDepot depot(64);
    FreeBlock* const in_use = depot.take_one();
    give_chains(depot, take_chains(depot, 200));
    depot.trim_all();
    EXPECT_EQ(depot.mapped_bytes(), BlockDepot::slab_bytes);
    depot.give_one(in_use);
    depot.trim_all();
    EXPECT_EQ(depot.mapped_bytes(), 0U);
}

TEST(BlockDepot, uses_sorted_blocks_before_it_needs_new_slabs) {
    BlockDepot depot(64);
    FreeBlock* const in_use = depot.take_one();
    std::size_t const whole_chains = (blocks_per_slab - 1) / BlockDepot::chain_length;
    for (int round = 0; round < 3; ++round) {
        give_chains(depot, take_chains(depot, whole_chains));
        depot.trim_all();
        EXPECT_EQ(depot.mapped_bytes(), BlockDepot::slab_bytes);
    }
    depot.give_one(in_use);
    depot.trim_all();
}

TEST(BlockDepot, never_gives_a_block_twice) {
    BlockDepot depot(192);
    std::vector<std::byte*> blocks;
    for (int i = 0; i < 5000; ++i) {
        blocks.push_back(reinterpret_cast<std::byte*>(depot.take_one()));
        std::fill_n(blocks.back(), 192, static_cast<std::byte>(i));
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        ASSERT_EQ(blocks[i][100], static_cast<std::byte>(i));
        ASSERT_EQ(blocks[i][191], static_cast<std::byte>(i));
    }
    for (std::byte* const block : blocks) {
        depot.give_one(::new (block) FreeBlock);
    }
    depot.trim_all();
    EXPECT_EQ(depot.mapped_bytes(), 0U);
}

struct Small {};
struct Large {
    std::array<char, 150> text{};
};
class Collector : public Server<Collector> {
public:
    void handle_info(Small /*message*/) {}
    void handle_info(Large const& /*message*/) {}
};

TEST(NodeMemory, of_messages_of_all_sizes_and_of_processes_goes_with_the_node) {
    std::size_t const before = mapped_bytes();
    {
        testing::Simulation simulation;
        auto const collector = simulation.node().start<Collector>().value();
        for (int i = 0; i < 20'000; ++i) {
            send(collector, Small{});
            send(collector, Large{});
        }
        for (int i = 0; i < 1000; ++i) {
            (void)simulation.node().start<Collector>().value();
        }
        simulation.run_until_settled();
    }
    EXPECT_LE(mapped_bytes(), before);
}

TEST(NodeMemory, of_a_burst_goes_back_when_the_node_has_been_quiet_for_a_while) {
    std::size_t const before = mapped_bytes();
    Node node{NodeOptions{.workers = 2}};
    auto const collector = node.start<Collector>().value();
    for (int i = 0; i < 50'000; ++i) {
        send(collector, Small{});
        send(collector, Large{});
    }
    EXPECT_TRUE(testing::eventually([&] { return mapped_bytes() <= before + 8 * BlockDepot::slab_bytes; }));
}

} // namespace
} // namespace sinew::detail
