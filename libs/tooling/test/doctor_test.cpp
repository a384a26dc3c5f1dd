#include <sinew/tooling/doctor.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace sinew::tooling {
namespace {

TEST(Doctor, names_the_one_command_that_gets_what_is_missing) {
    auto const findings = examine({{"ssh", "openssh-client", "upload"},
                                   {"ssh-keygen", "openssh-client", "keys"},
                                   {"cmake", "cmake", "builds"},
                                   {"ccache", "ccache", "speed", Necessity::useful}},
                                  [](std::string const& probe) { return probe == "cmake"; });
    EXPECT_EQ(install_command(findings, true),
              "apt-get install --no-install-recommends openssh-client ccache");
    EXPECT_EQ(install_command(findings, false),
              "sudo apt-get install --no-install-recommends openssh-client ccache");
}

TEST(Doctor, has_nothing_to_say_when_all_is_there) {
    EXPECT_EQ(install_command(examine(requirements(), [](auto const&) { return true; }), true), std::nullopt);
}

TEST(Doctor, knows_a_package_and_a_purpose_for_each_requirement) {
    for (Requirement const& item : requirements()) {
        EXPECT_FALSE(item.package.empty() || item.used_for.empty()) << item.probe;
        EXPECT_EQ(item.package.find(' '), std::string::npos) << item.package;
    }
}

} // namespace
} // namespace sinew::tooling
