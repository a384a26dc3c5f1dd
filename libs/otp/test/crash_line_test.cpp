// Text that signal handlers make.
#include "crash/line.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <vector>

namespace sinew::crash {

struct Named {};

namespace {

struct Hidden {};

std::string text_of(std::type_info const& type) {
    return std::string(Line().add_type(type.name()).text());
}

TEST(CrashLines, hold_texts_and_numbers) {
    Line line;
    line.add("a").add_number(0).add(" ").add_number(std::numeric_limits<std::uint64_t>::max());
    line.add(" ").add_hexadecimal(0x1f0).add("").add_hexadecimal(0);
    EXPECT_EQ(line.text(), "a0 18446744073709551615 0x1f00x0");
    line.clear();
    EXPECT_EQ(line.text(), "");
}

TEST(CrashLines, name_types_as_people_do) {
    EXPECT_EQ(text_of(typeid(Named)), "sinew::crash::Named");
    EXPECT_EQ(text_of(typeid(Hidden)), "sinew::crash::(anonymous namespace)::Hidden");
    EXPECT_EQ(std::string(Line().add_type("3Led").text()), "Led");
    EXPECT_EQ(text_of(typeid(std::runtime_error)), "std::runtime_error");
}

TEST(CrashLines, leave_a_type_that_is_no_plain_name_as_it_is) {
    EXPECT_EQ(text_of(typeid(std::vector<int>)), typeid(std::vector<int>).name());
    EXPECT_EQ(std::string(Line().add("in ").add_type("99Led").text()), "in 99Led");
    EXPECT_EQ(std::string(Line().add_type("N3LedE").text()), "Led");
    EXPECT_EQ(std::string(Line().add_type("NE").text()), "NE");
    EXPECT_EQ(std::string(Line().add_type("").text()), "");
}

TEST(CrashLines, leave_out_what_does_not_fit) {
    Line line;
    for (int i = 0; i < 100; ++i) {
        line.add("0123456789");
    }
    EXPECT_EQ(line.text().size(), 480U);
    EXPECT_TRUE(line.text().ends_with("789"));
}

} // namespace
} // namespace sinew::crash
