// The section [log] of an application's configuration.
#include "log/settings.hpp"

#include <sinew/base/file.hpp>
#include <sinew/otp.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace sinew::log {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Settings read(std::string_view toml) {
    return read_settings(Config::parse(toml).value()).value();
}
std::string refusal(std::string_view toml) {
    auto const settings = read_settings(Config::parse(toml).value());
    return settings ? std::string("taken") : settings.error().message();
}

TEST(LogSettings, are_text_on_standard_error_from_info_on_unless_said_otherwise) {
    Settings const settings = read("[lamp]\nline = 'x'\n");
    EXPECT_EQ(settings.level, Level::info);
    ASSERT_EQ(settings.handlers.size(), 1U);
    EXPECT_EQ(settings.handlers.front().kind, HandlerKind::text);
    EXPECT_EQ(settings.ring_capacity, 1024U);
}

TEST(LogSettings, are_read_from_the_configuration) {
    Settings const settings =
        read("[log]\nlevel = 'warning'\nmodules = { led = 'debug' }\nring_capacity = 9\n"
             "[[log.handlers]]\nkind = 'syslog'\nlevel = 'error'\n"
             "[[log.handlers]]\nkind = 'json'\npath = '/data/x.log'\n");
    Logger logger({.fallback = nullptr});
    apply_levels(logger, settings);
    EXPECT_EQ(logger.levels(), "warning,led=debug");
    EXPECT_EQ(settings.ring_capacity, 9U);
    ASSERT_EQ(settings.handlers.size(), 2U);
    EXPECT_EQ(settings.handlers[0].kind, HandlerKind::syslog);
    EXPECT_EQ(settings.handlers[0].level, Level::error);
    EXPECT_EQ(settings.handlers[1].path, "/data/x.log");
}

TEST(LogSettings, that_are_wrong_name_file_line_key_and_what_is_allowed) {
    EXPECT_THAT(refusal("[log]\nlevel = 'loud'\n"),
                AllOf(HasSubstr("config.toml:2: level"), HasSubstr("warning")));
    EXPECT_THAT(refusal("[log]\nmodules = { led = 'loud' }\n"), HasSubstr("modules.led"));
    EXPECT_THAT(refusal("[[log.handlers]]\nkind = 'paper'\n"),
                AllOf(HasSubstr("config.toml:2: handlers.0.kind"), HasSubstr("syslog")));
    EXPECT_THAT(refusal("[[log.handlers]]\nkind = 'text'\npath = '/x'\n"),
                AllOf(HasSubstr("config.toml:"), HasSubstr("handlers.0.path"), HasSubstr("kind = \"json\"")));
    EXPECT_THAT(
        refusal("[[log.handlers]]\nkind = 'json'\npath = '/x'\nlimit_kib = 15\n"),
        AllOf(HasSubstr("config.toml:"), HasSubstr("handlers.0.limit_kib must be from 16 to 4194304")));
    EXPECT_THAT(refusal("[[log.handlers]]\nkind = 'json'\nlimit_kib = 16\n"),
                HasSubstr("handlers.0.limit_kib: only a file has a limit"));
    EXPECT_THAT(refusal("[log]\nring_capacity = 1000001\n"),
                AllOf(HasSubstr("config.toml:2: ring_capacity"), HasSubstr("1000000")));
}

TEST(LogSettings, limit_what_a_file_holds) {
    auto const directory = TemporaryDirectory::create().value();
    std::string const path = (directory.path() / "log").string();
    Settings const settings =
        read("[[log.handlers]]\nkind = 'json'\nlimit_kib = 16\npath = '" + path + "'\n");
    Logger logger({.fallback = nullptr});
    auto const handlers = make_handlers(logger, settings, "lamp");
    Event event{.level = Level::info, .text = "0123456789"};
    RecordPointer const record = std::make_shared<Record const>(event);
    for (int i = 0; i < 2000; ++i) {
        ASSERT_TRUE(handlers.at(0).output->write({&record, 1}));
    }
    EXPECT_LE(read_text_file(path).value().size(), 16384U);
    EXPECT_LE(read_text_file(path + ".1").value().size(), 16384U);
}

TEST(LogSettings, an_output_that_can_not_be_opened_is_left_out_and_told) {
    auto const directory = TemporaryDirectory::create().value();
    Settings const settings =
        read("[[log.handlers]]\nkind = 'json'\npath = '" + (directory.path() / "no" / "such").string() +
             "'\n[[log.handlers]]\nkind = 'json'\npath = '" + (directory.path() / "log").string() + "'\n");
    Logger logger({.fallback = nullptr});
    Node const node({.workers = 1, .log = &logger});
    EXPECT_EQ(make_handlers(logger, settings, "lamp").size(), 1U);
    auto const told = logger.ring().grep("handlers.0 is left out", 10);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_THAT(std::string(told.front()->event().text),
                AllOf(HasSubstr("No such file"), HasSubstr("name a place")));
}

TEST(LogSettings, with_no_output_left_it_is_standard_error) {
    Logger logger({.fallback = nullptr});
    Node const node({.workers = 1, .log = &logger});
    EXPECT_EQ(make_handlers(logger, read("[[log.handlers]]\nkind = 'kmsg'\npath = '/no/such'\n"), "x").size(),
              1U);
    EXPECT_EQ(current_logger(), &logger);
}

} // namespace
} // namespace sinew::log
