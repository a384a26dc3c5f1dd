/// The container: what we write, real tools read; what they write, we read; and damage is named exactly.
#include "archive/zip_reader.hpp"
#include "support.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/firmware/create.hpp>
#include <sinew/firmware/io.hpp>
#include <sinew/firmware/keys.hpp>
#include <sinew/firmware/metadata.hpp>
#include <sinew/firmware/verify.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::firmware::test {

namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string const two_resources = R"(
meta-product = "Blinky"
meta-version = 1.0.0
meta-platform = x86_64
file-resource rootfs.img { host-path = "big" }
file-resource dir/small { host-path = "small" }
file-resource /top { contents = "at the root" }
task complete { on-resource rootfs.img { raw_write(8) } }
)";

Workshop workshop_with_files() {
    Workshop workshop;
    auto big = noise(70'000, 1);
    big.resize(200'000); // half of it compresses well
    workshop.write("big", big);
    workshop.write("small", "small content\n");
    return workshop;
}

Result<Metadata> verify(BytesView archive, VerifyOptions const& options = {}) {
    MemoryInput input(archive);
    return verify_archive(input, options);
}

TEST(Archive, unzip_reads_what_we_write) {
    auto const workshop = workshop_with_files();
    workshop.write("a.fw", workshop.archive(two_resources, generate_keys().private_key));
    EXPECT_THAT(tool({"unzip", "-t", workshop.text_path("a.fw")}), HasSubstr("No errors detected"));
    tool({"unzip", "-q", workshop.text_path("a.fw"), "-d", workshop.text_path("out")});
    EXPECT_EQ(workshop.read("out/data/rootfs.img"), workshop.read("big"));
    EXPECT_EQ(workshop.read("out/data/dir/small"), workshop.read("small"));
    EXPECT_EQ(as_text(workshop.read("out/top")), "at the root");
    EXPECT_EQ(workshop.read("out/meta.conf.ed25519").size(), 64u);
}

TEST(Archive, entries_come_in_the_normative_order_with_libarchives_headers) {
    auto const workshop = workshop_with_files();
    workshop.write("a.fw", workshop.archive(two_resources, generate_keys().private_key));
    EXPECT_EQ(tool({"unzip", "-Z1", workshop.text_path("a.fw")}),
              "meta.conf.ed25519\nmeta.conf\ndata/rootfs.img\ndata/dir/small\ntop\n");
    auto const bytes = workshop.read("a.fw");
    // Stored by version 1.0, a descriptor follows, no CRC and compressed size yet, but the size; 1980-01-01.
    EXPECT_EQ(to_hex(BytesView(bytes).first(30)), "504b03040a000800000000002100000000000000000040000000110014"
                                                  "00");
    // Extended times without a time, then user and group 0.
    EXPECT_EQ(to_hex(BytesView(bytes).subspan(30 + 17, 20)), "5554010000"
                                                             "75780b000104000000000400000000");
}

TEST(Archive, the_same_input_gives_the_same_bytes) {
    auto const workshop = workshop_with_files();
    EXPECT_EQ(workshop.archive(two_resources), workshop.archive(two_resources));
}

TEST(Archive, metadata_says_what_the_script_said) {
    auto const workshop = workshop_with_files();
    auto const archive = workshop.archive(two_resources);
    MemoryInput input(archive);
    auto const metadata = must(read_metadata(input));
    EXPECT_EQ(metadata.product, "Blinky");
    EXPECT_EQ(metadata.creation_date, "2023-11-14T22:13:20Z");
    EXPECT_THAT(metadata.tasks, ElementsAre("complete"));
    ASSERT_EQ(metadata.resources.size(), 3u);
    EXPECT_EQ(metadata.resources[0].size_bytes, 200'000u);
    EXPECT_FALSE(metadata.is_signed);
    EXPECT_THAT(format_metadata(metadata), HasSubstr("meta-platform=x86_64\nmeta-creation-date="));
}

TEST(Archive, the_report_gives_the_size_of_every_resource) {
    auto const workshop = workshop_with_files();
    auto const report = must(workshop.create(two_resources));
    ASSERT_EQ(report.resources.size(), 3u);
    EXPECT_EQ(report.resources[0].name, "rootfs.img");
    EXPECT_EQ(report.resources[0].size_bytes, 200'000u);
    EXPECT_GT(report.resources[0].compressed_bytes, 70'000u);
    EXPECT_LT(report.resources[0].compressed_bytes, 80'000u);
    EXPECT_EQ(report.archive_bytes, workshop.read("out.fw").size());
}

TEST(Archive, what_zip_writes_is_read_too) {
    auto const workshop = workshop_with_files();
    workshop.write("a.fw", workshop.archive(two_resources));
    tool({"unzip", "-q", workshop.text_path("a.fw"), "-d", workshop.text_path("out")});
    // -0 stores and -9 deflates, with sizes in the local header; from a pipe zip can't know them.
    for (std::string const level : {"-0", "-9"}) {
        tool({"sh", "-c",
              "cd '" + workshop.text_path("out") + "' && rm -f ../z.fw && zip -q -X " + level +
                  " ../z.fw meta.conf data/rootfs.img data/dir/small top"});
        EXPECT_EQ(must(verify(workshop.read("z.fw"))).uuid, must(read_metadata(workshop.path("a.fw"))).uuid);
    }
    tool({"sh", "-c",
          "cd '" + workshop.text_path("out") +
              "' && zip -q -X - meta.conf data/rootfs.img data/dir/small "
              "top | cat > ../p.fw"});
    must(verify(workshop.read("p.fw")));
}

TEST(Archive, every_truncation_is_called_one) {
    auto const workshop = workshop_with_files();
    auto const archive = workshop.archive(two_resources, generate_keys().private_key);
    for (std::size_t size = 0; size < archive.size(); size += size < 1500 ? 7 : 997) {
        auto const verified = verify(BytesView(archive).first(size));
        ASSERT_FALSE(verified) << size;
        EXPECT_THAT(verified.error().message(), HasSubstr("truncated")) << size;
        EXPECT_EQ(verified.error().code(), ErrorCode::corrupt);
    }
}

TEST(Archive, a_flipped_byte_is_found_and_its_resource_named) {
    auto const workshop = workshop_with_files();
    auto const keys = generate_keys();
    auto const good = workshop.archive(two_resources, keys.private_key);
    auto const text = as_text(good);
    auto const rootfs = text.find("data/rootfs.img") + 15 + 20;
    auto const small = text.find("data/dir/small");
    auto const directory = text.find("PK\x01\x02");
    VerifyOptions const options{.public_keys = {keys.public_key}};
    must(verify(good, options));
    for (std::size_t at = 0; at < directory; at += at < rootfs + 100 || at > small ? 1 : 331) {
        auto bad = good;
        bad[at] ^= std::byte{0x10};
        auto const verified = verify(bad, options);
        // Times, versions and owners aren't protected by anything, and change nothing.
        if (verified) {
            EXPECT_EQ(verified->uuid, must(verify(good)).uuid);
        } else if (at > rootfs && at < small - 100) {
            EXPECT_THAT(verified.error().message(), HasSubstr("resource 'rootfs.img'")) << at;
        }
    }
}

TEST(Archive, payload_is_protected_by_the_signature_even_if_its_checksum_is_mended) {
    auto const workshop = workshop_with_files();
    auto const keys = generate_keys();
    workshop.write("a.fw", workshop.archive(two_resources, keys.private_key));
    tool({"unzip", "-q", workshop.text_path("a.fw"), "-d", workshop.text_path("out")});
    workshop.write("out/data/dir/small", "Small content\n");
    tool({"sh", "-c",
          "cd '" + workshop.text_path("out") +
              "' && zip -q ../b.fw meta.conf.ed25519 meta.conf data/rootfs.img data/dir/small top"});
    EXPECT_EQ(
        message_of(verify(workshop.read("b.fw"), {.public_keys = {keys.public_key}})),
        "resource 'dir/small' is damaged: its BLAKE2b-256 isn't the one in meta.conf; get the file again");
}

TEST(Archive, a_missing_and_a_wrong_signature_are_told_apart) {
    auto const workshop = workshop_with_files();
    auto const ours = generate_keys();
    auto const theirs = generate_keys();
    VerifyOptions const options{.public_keys = {ours.public_key}};
    EXPECT_THAT(message_of(verify(workshop.archive(two_resources), options)), HasSubstr("isn't signed"));
    auto const wrong = verify(workshop.archive(two_resources, theirs.private_key), options);
    EXPECT_THAT(message_of(wrong),
                HasSubstr("none of the trusted keys (" + ours.public_key.short_name() + "...)"));
    EXPECT_EQ(wrong.error().code(), ErrorCode::denied);
    must(verify(workshop.archive(two_resources, ours.private_key),
                {.public_keys = {theirs.public_key, ours.public_key}}));
}

TEST(Archive, another_platform_is_refused_by_name) {
    auto const workshop = workshop_with_files();
    EXPECT_EQ(message_of(verify(workshop.archive(two_resources), {.expected_platform = "rpi4"})),
              "the archive is for platform 'x86_64', but this is 'rpi4'; build the firmware for 'rpi4'");
}

TEST(Archive, signing_anew_keeps_uuid_and_payload) {
    auto const workshop = workshop_with_files();
    auto const first = generate_keys();
    auto const second = generate_keys();
    workshop.write("a.fw", workshop.archive(two_resources, first.private_key));
    auto const before = must(read_metadata(workshop.path("a.fw")));
    must(sign_archive(workshop.path("a.fw"), workshop.path("a.fw"), second.private_key));
    auto const after = must(verify_archive(workshop.path("a.fw"), {.public_keys = {second.public_key}}));
    EXPECT_EQ(before.uuid, after.uuid);
    EXPECT_EQ(before.creation_date, after.creation_date);
    EXPECT_FALSE(verify_archive(workshop.path("a.fw"), {.public_keys = {first.public_key}}));
    EXPECT_THAT(tool({"unzip", "-t", workshop.text_path("a.fw")}), HasSubstr("No errors detected"));
}

TEST(Archive, an_entry_that_meta_conf_does_not_know_fails_verification) {
    auto const workshop = workshop_with_files();
    workshop.write("a.zip", workshop.archive(two_resources));
    tool({"sh", "-c", "cd '" + workshop.path("").string() + "' && zip -q a.zip small"});
    EXPECT_THAT(message_of(verify(workshop.read("a.zip"))),
                HasSubstr("entry 'small' that meta.conf doesn't mention"));
}

TEST(Archive, something_else_is_not_mistaken_for_one) {
    EXPECT_THAT(message_of(verify(noise(5000, 3))), HasSubstr("not a firmware archive"));
    EXPECT_THAT(message_of(verify({})), HasSubstr("truncated"));
}

TEST(Archive, a_failed_creation_leaves_the_old_file) {
    auto const workshop = workshop_with_files();
    workshop.write("out.fw", "old");
    auto const created = workshop.create("file-resource f { host-path = \"none\" }");
    EXPECT_THAT(message_of(created), HasSubstr("none doesn't exist"));
    EXPECT_THAT(message_of(created), HasSubstr("fwup.conf:1:19: "));
    EXPECT_EQ(as_text(workshop.read("out.fw")), "old");
}

TEST(Archive, a_resource_larger_than_its_assertion_is_refused) {
    auto const workshop = workshop_with_files();
    EXPECT_THAT(
        message_of(workshop.create("file-resource f { host-path = big assert-size-lte = 390 }")),
        HasSubstr(
            "fwup.conf:1:35: file-resource 'f' has 391 blocks (200000 bytes), but must have at most 390"));
    EXPECT_THAT(message_of(workshop.create("file-resource f { host-path = big assert-size-gte = 392 }")),
                HasSubstr("at least 392"));
}

TEST(Archive, host_paths_are_concatenated_and_their_size_is_a_variable) {
    auto const workshop = workshop_with_files();
    auto const report = must(workshop.create(
        "file-resource a-b.c { host-path = \"big;small\" } meta-misc = \"${FWUP_SIZE_a_b_c}\""));
    EXPECT_EQ(report.resources[0].size_bytes, 200'014u);
    EXPECT_EQ(report.metadata.misc, "200014");
}

TEST(Archive, bad_names_of_resources_are_refused) {
    auto const workshop = workshop_with_files();
    for (auto const* name : {"\"\"", "a/", "/", "/meta.conf", "/data", "/data/x"}) {
        EXPECT_THAT(
            message_of(workshop.create("file-resource " + std::string(name) + " { host-path = small }")),
            HasSubstr("can't be the name of a resource"))
            << name;
    }
}

TEST(Archive, holes_are_left_out_and_listed_if_that_is_asked_for) {
    auto const workshop = workshop_with_files();
    tool({"sh", "-c",
          "cd '" + workshop.path("").string() +
              "' && truncate -s 1M sparse && dd if=big of=sparse bs=4096 count=2 seek=16 conv=notrunc "
              "status=none"});
    auto const text = must(
        script_to_meta_conf(workshop.options("file-resource s { host-path = sparse skip-holes = true }")));
    // A file system that can't tell where holes are gives one run of data.
    EXPECT_THAT(text, AnyOf(HasSubstr("length={0,65536,8192,974848}\n"), HasSubstr("length=1048576\n")));
    EXPECT_THAT(must(script_to_meta_conf(workshop.options("file-resource s { host-path = sparse }"))),
                HasSubstr("length=1048576\n"));
}

TEST(ZipReader, reads_a_stream_that_comes_byte_by_byte) {
    class Trickle final : public InputStream {
    public:
        explicit Trickle(Bytes bytes)
            : m_bytes(std::move(bytes))
            , m_input(m_bytes) {}
        Result<std::size_t> read(MutableBytesView into) override { return m_input.read(into.first(1)); }

    private:
        Bytes m_bytes;
        MemoryInput m_input;
    };
    Workshop const workshop;
    workshop.write("f", "hello");
    Trickle input(workshop.archive("file-resource f { host-path = f }"));
    must(verify_archive(input));
}

} // namespace

} // namespace sinew::firmware::test
