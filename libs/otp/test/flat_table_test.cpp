// The table against a plain list that does the same.
#include <sinew/otp/detail/flat_table.hpp>
#include <sinew/otp/pid.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace sinew::detail {
namespace {

Pid pid(std::uint64_t number) {
    return Pid(number % 64, 1 + number / 64);
}

RC_GTEST_PROP(FlatTable, agrees_with_a_list, ()) {
    FlatTable<Pid, int> table;
    std::vector<std::pair<Pid, int>> list;
    auto const range = *rc::gen::element<std::uint64_t>(8, 40, 1000);
    auto const steps = *rc::gen::inRange(0, 600);
    for (int step = 0; step < steps; ++step) {
        Pid const key = pid(*rc::gen::inRange<std::uint64_t>(0, range));
        auto const found = std::ranges::find(list, key, &std::pair<Pid, int>::first);
        if (*rc::gen::inRange(0, 5) < 3) {
            RC_ASSERT(table.insert(key, step) == (found == list.end()));
            if (found == list.end()) {
                list.emplace_back(key, step);
            }
        } else {
            RC_ASSERT(table.erase(key) == (found != list.end()));
            if (found != list.end()) {
                *found = list.back();
                list.pop_back();
            }
        }
        if (*rc::gen::inRange(0, 50) == 0) {
            table.shrink();
        }
        int const* const value = table.find(key);
        auto const again = std::ranges::find(list, key, &std::pair<Pid, int>::first);
        RC_ASSERT((value != nullptr) == (again != list.end()));
        if (value != nullptr) {
            RC_ASSERT(*value == again->second);
        }
        RC_ASSERT(table.size() == list.size());
    }
    RC_ASSERT(std::ranges::equal(table.entries(), list, [](auto const& entry, auto const& pair) {
        return entry.key == pair.first && entry.value == pair.second;
    }));
}

} // namespace
} // namespace sinew::detail
