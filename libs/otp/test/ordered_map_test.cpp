// A sorted map of readers without locks: it stays whole when there is no memory for a change.
#include "simulation/allocation_faults.hpp"

#include <sinew/otp/detail/ordered_map.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <new>
#include <string>

namespace sinew::detail {
namespace {

using Map = OrderedMap<int, std::string>;

std::map<int, std::string> content(Map const& map) {
    std::map<int, std::string> result;
    map.for_each([&result](int key, std::string const& value) { result.emplace(key, value); });
    return result;
}

/// Makes one change whose `allocation`-th allocation fails. False: it needed fewer.
bool fails_without_harm(Map& map, int key, bool erases, std::size_t allocation) {
    auto const before = content(map);
    arm_allocation_failure(allocation);
    try {
        map.write(key, [erases](Map::Place& place) {
            if (erases) {
                place.erase();
            } else {
                place.put("a value that does not fit into a short string");
            }
        });
    } catch (std::bad_alloc const&) {
        EXPECT_EQ(content(map), before);
        return true;
    }
    arm_allocation_failure(0);
    return false;
}

TEST(OrderedMaps, stay_as_they_were_when_there_is_no_memory_for_a_change) {
    Map map;
    int failures = 0;
    for (int key = 0; key < 40; ++key) {
        for (std::size_t allocation = 1; fails_without_harm(map, key * 7 % 40, false, allocation);
             ++allocation) {
            ++failures;
        }
        EXPECT_EQ(map.size(), static_cast<std::size_t>(key) + 1);
    }
    for (int key = 0; key < 40; key += 2) {
        for (std::size_t allocation = 1; fails_without_harm(map, key, true, allocation); ++allocation) {
            ++failures;
        }
    }
    EXPECT_EQ(map.size(), 20U);
    EXPECT_EQ(content(map).size(), 20U);
    EXPECT_GT(failures, 100);
}

} // namespace
} // namespace sinew::detail
