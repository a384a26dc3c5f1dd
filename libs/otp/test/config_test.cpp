#include <sinew/base/bytes.hpp>
#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>
#include <sinew/otp/config.hpp>

#include <boost/describe/class.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace sinew {

struct LedSettings {
    std::string line = "LED0";
    std::chrono::milliseconds interval{500};
};
BOOST_DESCRIBE_STRUCT(LedSettings, (), (line, interval))

namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class Configs : public ::testing::Test {
protected:
    void write(std::string_view file, std::string_view text) {
        ASSERT_TRUE(write_file_atomically(directory.path() / file, as_bytes(text)));
    }
    TemporaryDirectory directory = TemporaryDirectory::create().value();
};

TEST_F(Configs, sections_that_are_not_there_are_the_defaults) {
    Config const config = Config::load(directory.path(), "host").value();
    EXPECT_EQ(config.section<LedSettings>("led").line, "LED0");
    EXPECT_FALSE(config.has_section("led"));
}

TEST_F(Configs, the_targets_file_overlays_the_common_one_key_by_key) {
    write("config.toml", "[led]\nline = \"A\"\ninterval = \"1s\"\n");
    write("host.toml", "[led]\nline = \"H\"\n");
    write("target.toml", "[led]\ninterval = \"2s\"\n");
    LedSettings const host = Config::load(directory.path(), "host").value().section<LedSettings>("led");
    EXPECT_EQ(host.line, "H");
    EXPECT_EQ(host.interval, 1s);
    LedSettings const target = Config::load(directory.path(), "x86_64").value().section<LedSettings>("led");
    EXPECT_EQ(target.line, "A");
    EXPECT_EQ(target.interval, 2s);
}

TEST_F(Configs, the_environment_overlays_the_files) {
    write("config.toml", "[led]\nline = \"A\"\ninterval = \"1s\"\n");
    std::array<char const*, 5> const environment{"PATH=/bin", "SINEW_CONFIG_DIR=/x",
                                                 "SINEW_CONFIG__led__interval=50ms",
                                                 "SINEW_CONFIG__wifi__network__channel=11", nullptr};
    Config const config = Config::load(directory.path(), "host", environment.data()).value();
    EXPECT_EQ(config.section<LedSettings>("led").line, "A");
    EXPECT_EQ(config.section<LedSettings>("led").interval, 50ms);
    Value const* const wifi = config.layers().back().root.find("wifi");
    ASSERT_NE(wifi, nullptr);
    EXPECT_EQ(*wifi->find("network")->find("channel")->get_if<std::int64_t>(), 11);
}

TEST_F(Configs, a_wrong_variable_of_the_environment_is_named_as_its_source) {
    std::array<char const*, 2> const environment{"SINEW_CONFIG__led__interval=soon", nullptr};
    Config const config = Config::load(directory.path(), "host", environment.data()).value();
    EXPECT_THAT(config.try_section<LedSettings>("led").error().message(), HasSubstr("the environment"));
}

TEST_F(Configs, an_error_names_the_file_the_line_and_the_key) {
    write("config.toml", "[led]\nline = \"A\"\n");
    write("host.toml", "\n[led]\nlime = \"H\"\n");
    Config const config = Config::load(directory.path(), "host").value();
    auto const settings = config.try_section<LedSettings>("led");
    ASSERT_FALSE(settings);
    EXPECT_THAT(settings.error().message(), HasSubstr("host.toml:3"));
    EXPECT_THAT(settings.error().message(), HasSubstr("lime"));
    EXPECT_THROW((void)config.section<LedSettings>("led"), ConfigError);
}

TEST_F(Configs, a_file_that_is_not_toml_is_an_error) {
    write("config.toml", "[led\n");
    auto const config = Config::load(directory.path(), "host");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message(), HasSubstr("config.toml:1"));
}

TEST_F(Configs, a_folder_that_is_not_there_is_an_error_that_says_how_to_name_one) {
    auto const config = Config::load(directory.path() / "nowhere", "host");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message(), HasSubstr("--config DIR"));
}

} // namespace
} // namespace sinew
