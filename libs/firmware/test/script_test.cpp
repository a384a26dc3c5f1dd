/// The language: words, variables, includes, and errors that say where.
#include "script/config.hpp"
#include "script/parser.hpp"
#include "script/variables.hpp"
#include "support.hpp"

#include <sinew/base/result.hpp>
#include <sinew/firmware/create.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <ostream>
#include <string>

namespace sinew::firmware::test {

namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

Result<std::string> meta_conf(std::string const& script,
                              std::map<std::string, std::string> const& variables = {}) {
    Variables values(variables, Variables::Environment::ignored);
    ParseOptions options;
    options.directives = Directives::followed;
    TRY(auto const parsed, parse_script(script, "dir/fwup.conf", values, options));
    TRY(auto const config, build_config(parsed, Unknown::refused));
    return format_meta_conf(config);
}

TEST(Script, strings_are_bare_double_or_single_quoted) {
    EXPECT_EQ(must(meta_conf("meta-product=bare meta-version=\"dou ble\" meta-author='sin\\gle'")),
              "meta-product=bare\nmeta-version=\"dou ble\"\nmeta-author=\"sin\\\\gle\"\n");
}

TEST(Script, double_quoted_strings_take_c_escapes) {
    EXPECT_EQ(must(meta_conf("meta-misc = \"a\\tb\\x41\\101\\\nc\\\"d\\\\e\"")),
              "meta-misc=\"a\tbAAc\\\"d\\\\e\"\n");
}

TEST(Script, comments_of_three_kinds_are_skipped) {
    EXPECT_EQ(must(meta_conf("# one\n// two\n/* three\n three */ meta-product = p # four")),
              "meta-product=p\n");
}

TEST(Script, variables_expand_with_defaults_and_can_be_deferred) {
    EXPECT_EQ(must(meta_conf(
                  "meta-product = \"${A}-${B:-default}-${C}\" meta-version = ${A} meta-misc = \"\\${D}\"",
                  {{"A", "x"}})),
              "meta-product=\"x-default-\"\nmeta-version=x\nmeta-misc=\"${D}\"\n");
}

TEST(Script, define_keeps_what_is_set_and_define_bang_does_not) {
    EXPECT_EQ(must(meta_conf(
                  "define(A, 1) define!(B, 2) define-eval(C, \"${B} * 3\") meta-misc = \"${A} ${B} ${C}\"",
                  {{"A", "kept"}, {"B", "lost"}})),
              "meta-misc=\"kept 2 6\"\n");
}

TEST(Script, an_include_is_relative_to_the_file_it_is_in) {
    Workshop const workshop;
    std::filesystem::create_directory(workshop.path("sub"));
    workshop.write("sub/a.conf", "include(\"b.conf\")\n");
    workshop.write("sub/b.conf", "define(X, included)\n");
    EXPECT_EQ(must(script_to_meta_conf(workshop.options("include(\"sub/a.conf\") meta-product = ${X}"))),
              "meta-product=included\n");
}

TEST(Script, an_error_in_an_included_file_names_that_file) {
    Workshop const workshop;
    workshop.write("bad.conf", "\n  meta-product product\n");
    EXPECT_THAT(
        message_of(workshop.create("include(\"bad.conf\")")),
        EndsWith("bad.conf:3:1: expected '{' after 'meta-product product', found the end of the file"));
}

TEST(Script, files_that_include_each_other_are_refused) {
    Workshop const workshop;
    workshop.write("loop.conf", "include(\"loop.conf\")");
    EXPECT_THAT(message_of(workshop.create("include(\"loop.conf\")")), HasSubstr("circle"));
    EXPECT_THAT(message_of(workshop.create("\n include(\"none.conf\")")), HasSubstr("fwup.conf:2:2: "));
}

struct BadScript {
    std::string script;
    std::string error;
};

void PrintTo(BadScript const& bad, std::ostream* out) { // NOLINT(readability-identifier-naming)
    *out << bad.script;
}

class BadScripts : public ::testing::TestWithParam<BadScript> {};

TEST_P(BadScripts, are_refused_with_their_place) {
    EXPECT_EQ(message_of(meta_conf(GetParam().script)), "dir/fwup.conf:" + GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Script, BadScripts,
    ::testing::Values(
        BadScript{"meta-prodct = x", "1:1: unknown option 'meta-prodct' at the top level"},
        BadScript{"\n\n   task t { on-init { raw_wrte(1) } }", "3:23: unknown function 'raw_wrte'"},
        BadScript{
            "task t { on-init { raw_write(1) } }",
            "1:20: raw_write() writes a resource and so belongs in an on-resource section, not in on-init"},
        BadScript{"task t { on-init { fat_mkfs(1) } }", "1:20: fat_mkfs() takes 2 arguments, not 1"},
        BadScript{"task t { on-init { trim(a, 1) } }", "1:20: trim(): argument 1 must be a number, not 'a'"},
        BadScript{"task t { on-init { raw_memset(0, 1, 256) } }",
                  "1:20: raw_memset(): the byte must be 0 to 255, not 256"},
        BadScript{"task t { require-moon-phase(1) }", "1:10: unknown condition 'require-moon-phase'"},
        BadScript{"task t { }\ntask t { }", "2:1: task 't' was already defined at line 1"},
        BadScript{"task { }", "1:1: section 'task' needs a name: task NAME { ... }"},
        BadScript{"meta-product = \"no end", "1:16: the text that begins here has no closing '\"'"},
        BadScript{"/* no end", "1:1: the comment that begins here has no end; close it with */"},
        BadScript{"mbr m { signature = {1, 2} }", "1:9: 'signature' takes one value, not a list"},
        BadScript{"mbr m { partition 0 { type = x } }", "1:23: 'type' must be an integer, not 'x'"},
        BadScript{"mbr m { partition 0 { boot = maybe } }",
                  "1:23: 'boot' must be true or false, not 'maybe'"},
        BadScript{"define-eval(A, \"1 +\")", "1:1: can't evaluate '1 +': expected a number at character 4"},
        BadScript{"define(A)", "1:1: define() takes a name and a value"},
        BadScript{"meta-product = }", "1:16: expected a value for 'meta-product', found '}'"},
        BadScript{"meta-product + x", "1:14: a lone '+'; write '+=' to append to a list"},
        BadScript{"}", "1:1: expected the name of an option, a function or a section, found '}'"},
        BadScript{"a{a{a{a{a{a{a{a{a{", "1:17: sections are nested too deeply"}));

TEST(Script, meta_conf_cannot_include_files_of_the_device) {
    Variables variables;
    EXPECT_THAT(message_of(parse_script("include(\"/etc/shadow\")", "meta.conf", variables, {})),
                HasSubstr("no place in a finished meta.conf"));
}

TEST(Script, what_a_later_release_added_is_ignored_when_applying) {
    Variables variables;
    auto const script = must(parse_script("meta-new=1 new-list={1,2} new { x=1 y { } } meta-product=p",
                                          "meta.conf", variables, {}));
    auto const config = must(build_config(script, Unknown::ignored));
    EXPECT_EQ(config.text("meta-product"), "p");
    EXPECT_FALSE(build_config(script, Unknown::refused));
}

TEST(Script, a_section_with_a_name_that_a_later_release_added_is_refused) {
    Variables variables;
    auto const script = must(parse_script("meta-product=p\nnew \"s\" { x=1 }", "meta.conf", variables, {}));
    EXPECT_EQ(message_of(build_config(script, Unknown::ignored)),
              "meta.conf:2:1: unknown section 'new'; the archive was made for a later release, update this "
              "program");
}

TEST(Script, a_variable_that_doubles_itself_is_stopped) {
    std::string script = "define!(A, 0123456789)\n";
    for (int i = 0; i < 40; ++i) {
        script += "define!(A, \"${A}${A}\")\n";
    }
    EXPECT_THAT(message_of(meta_conf(script)), HasSubstr("longer than 1 MiB"));
}

} // namespace

} // namespace sinew::firmware::test
