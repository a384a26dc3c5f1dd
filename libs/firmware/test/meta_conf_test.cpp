/// meta.conf's bytes and the UUID that follows from them.
#include "script/config.hpp"
#include "script/parser.hpp"
#include "script/variables.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/create.hpp>
#include <sinew/firmware/metadata.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sinew::firmware::test {

namespace {

using ::testing::HasSubstr;

TEST(MetaConf, the_uuid_is_the_one_the_original_gives) {
    // Golden: published with the original's test of metadata on the command line, from 2018, when it quoted
    // all values.
    auto const meta_conf = as_bytes("meta-product=\"product name\"\n"
                                    "meta-description=\"product description\"\n"
                                    "meta-version=\"some version\"\n"
                                    "meta-author=\"someone\"\n"
                                    "meta-platform=\"a platform\"\n"
                                    "meta-architecture=\"an architecture\"\n");
    EXPECT_EQ(archive_uuid(meta_conf), "ded51581-3c37-5dd5-d1b6-cd8503e4cfc4");
}

TEST(MetaConf, options_come_in_the_fixed_order_whatever_the_script_has) {
    Workshop const workshop;
    workshop.write("file", "content");
    auto const text = must(script_to_meta_conf(workshop.options(R"(
uboot-environment env { block-count = 16 block-offset = 0x10 }
file-resource dir/file { host-path = "file" assert-size-lte = 1 }
task second { require-path-on-device("/", "/dev/mmcblk0p2") on-finish { info("bye") } on-init { info(hi) info(again) } }
task empty { }
mbr m { signature = 0xabcd partition 1 { type = 0x83 block-count = 8 block-offset = 0x40 expand = yes } }
meta-version = 1.2.3
meta-product = "My \"Product\""
)")));
    // The hash is b2sum -l 256 of "content".
    EXPECT_EQ(text, "meta-product=\"My \\\"Product\\\"\"\n"
                    "meta-version=1.2.3\n"
                    "file-resource \"dir/file\" {\n"
                    "length=7\n"
                    "blake2b-256=2d49316473cb68324b3f807c6d88c5618f6a422801f52ee3f6b3c29784504fc0\n"
                    "}\n"
                    "mbr \"m\" {\n"
                    "signature=0xabcd\n"
                    "partition \"1\" {\n"
                    "block-offset=0x40\n"
                    "block-count=8\n"
                    "type=131\n"
                    "expand=true\n"
                    "}\n"
                    "}\n"
                    "task \"second\" {\n"
                    "reqlist={3,\"require-path-on-device\",\"/\",\"/dev/mmcblk0p2\"}\n"
                    "on-init {\n"
                    "funlist={2,info,hi,2,info,again}\n"
                    "}\n"
                    "on-finish {\n"
                    "funlist={2,info,bye}\n"
                    "}\n"
                    "}\n"
                    "task \"empty\" {\n"
                    "}\n"
                    "uboot-environment \"env\" {\n"
                    "block-offset=16\n"
                    "block-count=16\n"
                    "}\n");
}

TEST(MetaConf, nothing_at_all_is_said_so) {
    EXPECT_EQ(format_meta_conf(Section()), "# Empty file\n");
}

TEST(MetaConf, fat_write_is_completed_with_the_name_of_the_resource) {
    Workshop const workshop;
    workshop.write("f", "x");
    auto const text = must(script_to_meta_conf(
        workshop.options("file-resource f { host-path = f } task t { on-resource f { fat_write(8) } }")));
    EXPECT_THAT(text, HasSubstr("funlist={3,fat_write,8,f}\n"));
}

TEST(MetaConf, function_arguments_stay_as_they_were_written) {
    Workshop const workshop;
    auto const text =
        must(script_to_meta_conf(workshop.options("task t { on-init { raw_memset(0x10, 1, \"0xff\") } }")));
    EXPECT_THAT(text, HasSubstr("funlist={4,raw_memset,0x10,1,0xff}\n"));
}

TEST(MetaConf, reading_it_back_yields_the_same_text) {
    Workshop const workshop;
    workshop.write("f", "x");
    auto const text = must(script_to_meta_conf(workshop.options(
        "meta-misc = \"a \\\\ b \\\" c\" file-resource \"we ird\" { host-path = f } "
        "task t { require-uboot-variable(e, \"k\", \"v w\") on-resource \"we ird\" { raw_write(1) } on-error "
        "{ "
        "info(\"\") } } uboot-environment e { block-offset = 1 block-count = 2 block-offset-redund = 3 }")));
    Variables variables;
    auto const script = must(parse_script(text, "meta.conf", variables, {}));
    EXPECT_EQ(format_meta_conf(must(build_config(script, Unknown::refused))), text);
}

TEST(MetaConf, a_script_cannot_choose_its_uuid) {
    Workshop const workshop;
    EXPECT_THAT(message_of(script_to_meta_conf(workshop.options("meta-uuid = 1234 meta-product = p"))),
                HasSubstr("meta-uuid can't be chosen"));
}

TEST(MetaConf, the_nickname_follows_from_the_uuid) {
    EXPECT_EQ(archive_nickname("53233641-82a4-5576-b75d-d227a234c626"), "energy-bid")
        << "the original's name";
    EXPECT_EQ(archive_nickname("00010000-0000-0000-0000-000000000000"), archive_nickname("0001"));
    EXPECT_NE(archive_nickname("0001"), archive_nickname("0100"));
}

TEST(MetaConf, one_that_no_device_could_read_is_refused) {
    Workshop const workshop;
    EXPECT_THAT(message_of(workshop.create("meta-misc = \"" + std::string(50'000, 'x') + "\"")),
                HasSubstr("at most 49999"));
}

} // namespace

} // namespace sinew::firmware::test
